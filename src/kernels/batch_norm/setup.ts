import type { GpuArray } from '../../gpu/array.js';
import type { NormActivation } from '../lib/activation.js';
import type { BatchNormVariant } from './variants.js';

export interface BatchNormSetup {
  /** Values of each channel. */
  rows: number;
  c: number;
  isTraining: boolean;
  momentum: number;
  epsilon: number;
  activation?: NormActivation | undefined;
  variant?: BatchNormVariant | undefined;
}

/**
 * What backward reads. With an activation, `kept` is what its derivative is computed from: the output
 * y, or for silu beta [C], from which z is recomputed.
 */
export interface BatchNormSaved {
  dy: GpuArray;
  x: GpuArray;
  kept: GpuArray | undefined;
  statistics: GpuArray;
}

/** Optional factors and summands of the normalisation. */
export interface BatchNormOptional {
  gamma?: GpuArray | undefined;
  beta?: GpuArray | undefined;
  residual?: GpuArray | undefined;
}

/** Running statistics, updated in place in training. */
export interface RunningStatistics {
  mean?: GpuArray | undefined;
  variance?: GpuArray | undefined;
}
