import type { GpuArray } from '../../gpu/array.js';
import type { Runtime } from '../../gpu/runtime.js';
import { allowedError } from '../lib/accuracy.js';
import { activationCodes } from '../lib/activation.js';
import { orPlaceholders, type Epilogue } from '../lib/bias_activation.js';
import { castArray } from '../cast.js';
import {
  conv2dCost,
  wholeOutput,
  type Conv2dGeometry,
  type Conv2dDirection,
  type Conv2dProblem,
  type ConvolutionWindow,
} from './geometry.js';
import { gradInputByPhases } from './phases.js';
import { folded, gradWeightBySlices } from './tiled.js';
import type { Addend } from './launchers.js';

/*
 * Convolutions on the matrix units of a GPU: products of f16, sums and results of f32. The gradients
 * read dy as f16 too, which rounds it to 11 bits and turns values above 65,504 into infinity; a loss
 * scale handles that (docs/mixed_precision.md).
 */

const FEATURES = ['shader-f16', 'subgroups', 'chromium-experimental-subgroup-matrix'];

export function subgroupMatrixUnsupported(problem: Conv2dProblem): string | null {
  const { direction, geometry, types, info } = problem;
  const missing = FEATURES.find((feature) => !info.features.includes(feature));
  if (missing) return `it needs the feature ${missing}`;
  if (info.subgroupMinSize !== 32 || info.subgroupMaxSize !== 32) {
    return `it needs subgroups of exactly 32 lanes, this adapter has ${info.subgroupMinSize} to ${info.subgroupMaxSize}`;
  }
  const hasMatrix = info.subgroupMatrixConfigs.some(
    ({ componentType, resultComponentType, M, N, K }) =>
      componentType === 'f16' && resultComponentType === 'f32' && M === 16 && N === 16 && K === 16,
  );
  if (!hasMatrix) return 'it needs subgroup matrices f16 16×16×16 with results of f32';
  // The gradients round dy, which is f32.
  const operands = { forward: [types.x, types.w], gradInput: [types.w], gradWeight: [types.x] };
  if (operands[direction].some((type) => type !== 'f16')) return 'it needs operands of f16';
  const [c, k] = [geometry.c / geometry.groups, geometry.k / geometry.groups];
  if (c % 4 === 0 && k % 4 === 0) return null;
  return `it needs C and K of a group to be multiples of 4, got ${c} and ${k}`;
}

/** Rounding dy to f16 changes each product by up to 2⁻¹¹ of it. */
export function subgroupMatrixSlack(direction: Conv2dDirection, terms: number): number {
  return direction === 'forward' ? 1 : 1 + 2 ** -11 / allowedError(terms, 1);
}

/** Workgroup memory that tiles of 128×128 take: two padded tiles of f16, and the stage. */
const LARGE_TILE_BYTES = 24064;

/** Edge of a workgroup's tile. */
function edgeFor(columns: number, runtime: Runtime): 64 | 128 {
  const { maxComputeWorkgroupStorageSize = 16384 } = runtime.info.limits;
  return maxComputeWorkgroupStorageSize >= LARGE_TILE_BYTES && columns > 64 ? 128 : 64;
}

export function conv2dForwardSubgroupMatrix(
  runtime: Runtime,
  x: GpuArray,
  w: GpuArray,
  bias: GpuArray | undefined,
  geometry: Conv2dGeometry,
  epilogue: Epilogue,
): GpuArray {
  const { n, p, q, k } = geometry;
  const y = runtime.alloc([n, p, q, k]);
  dispatchProduct(runtime, 'conv2d forward', { x, w, bias, y }, wholeOutput(geometry), epilogue);
  return y;
}

export function conv2dGradInputSubgroupMatrix(
  runtime: Runtime,
  dy: GpuArray,
  w: GpuArray,
  geometry: Conv2dGeometry,
  { addend }: Addend,
): GpuArray {
  const narrow = castArray(runtime, dy, 'f16');
  const dx = gradInputByPhases(runtime, narrow, w, geometry, (arrays, phase) =>
    dispatchProduct(runtime, 'conv2d grad-input', arrays, phase, { residual: addend }),
  );
  narrow.release();
  return dx;
}

export function conv2dGradWeightSubgroupMatrix(
  runtime: Runtime,
  x: GpuArray,
  dy: GpuArray,
  geometry: Conv2dGeometry,
): GpuArray {
  const narrow = castArray(runtime, dy, 'f16');
  const edge = edgeFor(geometry.k / geometry.groups, runtime);
  const dw = gradWeightBySlices(runtime, x, narrow, geometry, {
    shader: 'conv2d_grad_weight_subgroup_matrix',
    tune: { BM: edge, BN: edge },
    tile: { BM: edge, BN: edge, BK: 32 },
    isVec4: true,
  });
  narrow.release();
  return dw;
}

function dispatchProduct(
  runtime: Runtime,
  op: string,
  arrays: { x: GpuArray; w: GpuArray; bias?: GpuArray | undefined; y: GpuArray },
  { geometry, outputs, first, step }: ConvolutionWindow,
  { activation, residual }: Epilogue = {},
): void {
  const { n, h, w, c, r, s, k, p, q, groups } = geometry;
  const rows = n * outputs[0] * outputs[1];
  const edge = edgeFor(k / groups, runtime);
  runtime.dispatch({
    shader: 'conv2d_forward_subgroup_matrix',
    op,
    tune: { BM: edge, BN: edge },
    constants: {
      HAS_BIAS: arrays.bias !== undefined,
      HAS_RESIDUAL: residual !== undefined,
      ACTIVATION: activationCodes[activation ?? 'none'],
    },
    bindings: { ...arrays, ...orPlaceholders(runtime, { bias: arrays.bias, residual }) },
    params: {
      x_shape: [n, h, w, c],
      y_shape: [n, p, q, k],
      filter_size: [r, s],
      stride: [geometry.strideH, geometry.strideW],
      pad: [geometry.padTop, geometry.padLeft],
      dilation: [geometry.dilationH, geometry.dilationW],
      ...{ outputs, first, step, groups },
    },
    groups: [
      ...folded(Math.ceil(rows / edge), runtime.info),
      groups * Math.ceil(k / groups / edge),
    ],
    ...conv2dCost({ ...geometry, p: outputs[0], q: outputs[1] }, { x: 'f16', w: 'f16' }),
  });
}
