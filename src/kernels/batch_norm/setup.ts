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
 * What backward looks at. Where an activation was applied, `kept` is what its derivative is told
 * from: the output y; for silu beta [C], from which and gamma z is computed again.
 */
export interface BatchNormSaved {
  dy: GpuArray;
  x: GpuArray;
  kept: GpuArray | undefined;
  statistics: GpuArray;
}

/** What normalisation adds to, or multiplies with. */
export interface BatchNormOptional {
  gamma?: GpuArray | undefined;
  beta?: GpuArray | undefined;
  residual?: GpuArray | undefined;
}

/** What is moved in place while training, where it is kept. */
export interface RunningStatistics {
  mean?: GpuArray | undefined;
  variance?: GpuArray | undefined;
}
