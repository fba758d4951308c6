import type { GpuArray } from '../../gpu/array.js';
import type { Runtime } from '../../gpu/runtime.js';
import { activationCodes } from '../lib/activation.js';
import { orPlaceholders } from '../lib/bias_activation.js';
import { matmulCost, sizeParams, type MatmulGeometry } from './geometry.js';
import type { MatmulOperands, MatmulTarget } from './launchers.js';

/** One invocation per result: the version to read. */
export function matmulNaive(
  runtime: Runtime,
  { a, b, bias, residual }: MatmulOperands,
  geometry: MatmulGeometry,
  { shape, op, activation }: MatmulTarget,
): GpuArray {
  const y = runtime.alloc(shape);
  runtime.dispatch({
    shader: 'matmul_forward_naive',
    op,
    tune: { AElem: a.dtype, BElem: b.dtype },
    constants: {
      TRANSPOSE_A: geometry.transposeA,
      TRANSPOSE_B: geometry.transposeB,
      HAS_BIAS: bias !== undefined,
      HAS_RESIDUAL: residual !== undefined,
      ACTIVATION: activationCodes[activation ?? 'none'],
    },
    bindings: { a, b, ...orPlaceholders(runtime, { bias, residual }), y },
    params: sizeParams(geometry),
    groups: Math.ceil(y.size / 64),
    ...matmulCost(geometry),
  });
  return y;
}
