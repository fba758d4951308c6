import type { GpuArray } from '../../gpu/array.js';
import type { Runtime } from '../../gpu/runtime.js';
import { fusedPlan } from './choose.js';
import { normalise, normaliseBackward } from './elements.js';
import { batchNormBackwardFused, batchNormForwardFused } from './fused.js';
import type {
  BatchNormOptional,
  BatchNormSaved,
  BatchNormSetup,
  RunningStatistics,
} from './setup.js';
import { batchNormGradSums, batchStatistics, runningStatistics } from './sums.js';

/**
 * y = activation(gamma · (x − mean) · rstd + beta + residual); x and residual [… C] → y of x's shape, and
 * the means and rstd that were used. In training these are the batch's, and `moved` is updated in
 * place; otherwise they come from `running`.
 */
export function batchNormForward(
  runtime: Runtime,
  x: GpuArray,
  optional: BatchNormOptional,
  running: RunningStatistics,
  moved: RunningStatistics,
  setup: BatchNormSetup,
): { y: GpuArray; statistics: GpuArray } {
  const fused = fusedPlan(runtime, setup);
  if (fused) return batchNormForwardFused(runtime, x, optional, moved, setup, fused);
  const statistics = setup.isTraining
    ? batchStatistics(runtime, x, moved, setup)
    : runningStatistics(runtime, running.mean!, running.variance!, setup);
  return { y: normalise(runtime, x, statistics, optional, setup), statistics };
}

/** The gradients that were computed; dresidual only together with dx and with an activation. */
interface BatchNormGradients {
  dx?: GpuArray | undefined;
  dresidual?: GpuArray | undefined;
  dgamma?: GpuArray | undefined;
  dbeta?: GpuArray | undefined;
}

/** One dispatch if dx is needed and the forward pass was fused; otherwise the sums come first. */
export function batchNormBackward(
  runtime: Runtime,
  values: BatchNormSaved,
  gamma: GpuArray | undefined,
  setup: BatchNormSetup,
  needs: Readonly<Record<string, boolean | undefined>>,
): BatchNormGradients {
  // The pass that computes dx also computes dz, the residual's gradient.
  const keepsResidual = Boolean(needs.residual) && setup.activation !== undefined;
  // Only a fused forward pass writes the third row of statistics, which the fused backward pass reads.
  const hasScales = values.statistics.shape[0] === 3;
  const fused = needs.x && hasScales ? fusedPlan(runtime, setup) : null;
  if (fused) return batchNormBackwardFused(runtime, values, setup, keepsResidual, fused);
  const needsSums = needs.gamma || needs.beta || (needs.x && setup.isTraining);
  const found = needsSums ? batchNormGradSums(runtime, values, gamma, setup) : undefined;
  const { dgamma, dbeta, sums } = found ?? {};
  const inputs = needs.x
    ? normaliseBackward(runtime, values, gamma, sums, setup, keepsResidual)
    : undefined;
  sums?.release();
  return { ...inputs, dgamma, dbeta };
}
