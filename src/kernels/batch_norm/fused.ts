import type { GpuArray } from '../../gpu/array.js';
import type { Runtime } from '../../gpu/runtime.js';
import { activationCodes } from '../lib/activation.js';
import type { FusedPlan } from './choose.js';
import type {
  BatchNormOptional,
  BatchNormSaved,
  BatchNormSetup,
  RunningStatistics,
} from './setup.js';

/**
 * A forward pass of training in one dispatch: y of x's shape, and means, rstd = 1 / √(variance + epsilon) and
 * gamma · rstd of the batch, [3 C]; x [… C]. Moves the running statistics, if given, in place.
 */
export function batchNormForwardFused(
  runtime: Runtime,
  x: GpuArray,
  { gamma, beta, residual }: BatchNormOptional,
  running: RunningStatistics,
  setup: BatchNormSetup,
  { tune, columns, groups }: FusedPlan,
): { y: GpuArray; statistics: GpuArray } {
  const { rows, c, momentum, epsilon } = setup;
  const y = runtime.alloc(x.shape);
  const statistics = runtime.alloc([3, c]);
  // The kernel always updates running statistics; without any, it writes to scratch arrays.
  const runningMean = running.mean?.retain() ?? runtime.alloc([c]);
  const runningVariance = running.variance?.retain() ?? runtime.alloc([c]);
  runtime.dispatch({
    shader: 'batch_norm_forward_fused',
    op: 'batchNorm forward',
    tune,
    constants: {
      HAS_GAMMA: gamma !== undefined,
      HAS_BETA: beta !== undefined,
      HAS_RESIDUAL: residual !== undefined,
      ACTIVATION: activationCodes[setup.activation ?? 'none'],
    },
    bindings: {
      x,
      gamma: gamma ?? x,
      beta: beta ?? x,
      residual: residual ?? x,
      running_mean: runningMean,
      running_variance: runningVariance,
      statistics,
      y,
    },
    params: { rows, C: columns, momentum, epsilon },
    groups,
    flops: 8 * x.size,
    bytes: 4 * x.size * (residual ? 3 : 2),
  });
  runningMean.release();
  runningVariance.release();
  return { y, statistics };
}

/**
 * A backward pass of training in one dispatch, after a fused forward pass: dx, and with `keepsResidual` the
 * gradient of the residual, of x's shape; dgamma and dbeta [C].
 */
export function batchNormBackwardFused(
  runtime: Runtime,
  { dy, x, kept, statistics }: BatchNormSaved,
  setup: BatchNormSetup,
  keepsResidual: boolean,
  { tune, columns, groups }: FusedPlan,
): { dx: GpuArray; dresidual?: GpuArray; dgamma: GpuArray; dbeta: GpuArray } {
  const { rows, c } = setup;
  const dx = runtime.alloc(x.shape);
  const dresidual = keepsResidual ? runtime.alloc(x.shape) : undefined;
  const dgamma = runtime.alloc([c]);
  const dbeta = runtime.alloc([c]);
  runtime.dispatch({
    shader: 'batch_norm_backward_fused',
    op: 'batchNorm backward',
    tune,
    constants: {
      KEEP_RESIDUAL: keepsResidual,
      ACTIVATION: activationCodes[setup.activation ?? 'none'],
    },
    bindings: {
      dy,
      kept: kept ?? dy,
      x,
      statistics,
      dx,
      dresidual: dresidual ?? runtime.placeholder,
      dgamma,
      dbeta,
    },
    params: { rows, C: columns },
    groups,
    flops: 13 * x.size,
    bytes: 4 * (3 * x.size + (kept?.size ?? 0) + (dresidual?.size ?? 0)),
  });
  return { dx, dgamma, dbeta, ...(dresidual ? { dresidual } : {}) };
}
