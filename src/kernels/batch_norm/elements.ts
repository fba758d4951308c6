import type { GpuArray } from '../../gpu/array.js';
import type { Runtime } from '../../gpu/runtime.js';
import { activationCodes } from '../lib/activation.js';
import { elementPlan } from './choose.js';
import type { BatchNormOptional, BatchNormSaved, BatchNormSetup } from './setup.js';

/** activation(gamma · (x − mean) · rstd + beta + residual); x and residual [… C] → x's shape. */
export function normalise(
  runtime: Runtime,
  x: GpuArray,
  statistics: GpuArray,
  { gamma, beta, residual }: BatchNormOptional,
  setup: BatchNormSetup,
): GpuArray {
  const y = runtime.alloc(x.shape);
  runtime.dispatch({
    ...elementPlan(runtime, setup),
    shader: setup.variant === 'naive' ? 'batch_norm_forward_naive' : 'batch_norm_forward_sliced',
    op: 'batchNorm forward',
    constants: {
      HAS_GAMMA: gamma !== undefined,
      HAS_BETA: beta !== undefined,
      HAS_RESIDUAL: residual !== undefined,
      ACTIVATION: activationCodes[setup.activation ?? 'none'],
    },
    bindings: {
      x,
      statistics,
      gamma: gamma ?? statistics,
      beta: beta ?? statistics,
      residual: residual ?? x,
      y,
    },
    flops: 4 * x.size,
    bytes: 4 * x.size * (residual ? 3 : 2),
  });
  return y;
}

/** dx, and with `keepsResidual` the gradient of the residual too; both of x's shape. */
export function normaliseBackward(
  runtime: Runtime,
  { dy, x, kept, statistics }: BatchNormSaved,
  gamma: GpuArray | undefined,
  sums: GpuArray | undefined,
  setup: BatchNormSetup,
  keepsResidual: boolean,
): { dx: GpuArray; dresidual?: GpuArray } {
  const dx = runtime.alloc(x.shape);
  const dresidual = keepsResidual ? runtime.alloc(x.shape) : undefined;
  runtime.dispatch({
    ...elementPlan(runtime, setup),
    shader: setup.variant === 'naive' ? 'batch_norm_backward_naive' : 'batch_norm_backward_sliced',
    op: 'batchNorm grad-input',
    constants: {
      IS_TRAINING: setup.isTraining,
      HAS_GAMMA: gamma !== undefined,
      KEEP_RESIDUAL: keepsResidual,
      ACTIVATION: activationCodes[setup.activation ?? 'none'],
    },
    bindings: {
      dy,
      kept: kept ?? dy,
      x,
      statistics,
      gamma: gamma ?? statistics,
      sums: sums ?? statistics,
      dx,
      dresidual: dresidual ?? runtime.placeholder,
    },
    flops: 8 * x.size,
    bytes: 4 * (3 * x.size + (kept?.size ?? 0)),
  });
  return dresidual ? { dx, dresidual } : { dx };
}
