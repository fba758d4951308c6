import { sizeOf, type GpuArray } from '../../gpu/array.js';
import type { Runtime } from '../../gpu/runtime.js';
import { activationGradient } from '../../kernels/activation.js';
import { batchNormForward, batchNormGradInput } from '../../kernels/batch_norm/batch_norm.js';
import {
  batchNormVariants,
  fusedPlan,
  type BatchNormSaved,
  type BatchNormSetup,
} from '../../kernels/batch_norm/setup.js';
import {
  batchNormGradSums,
  batchStatistics,
  runningStatistics,
} from '../../kernels/batch_norm/sums.js';
import { batchNormBackwardFused, batchNormForwardFused } from '../../kernels/batch_norm/fused.js';
import { batchNormPlan, type BatchNormOptions, type BatchNormPlan } from '../batch_norm_plan.js';
import type { BackwardCall, ForwardCall, OpRecord } from '../record.js';

export type { BatchNormOptions, BatchNormPlan };

/**
 * Batch normalisation over all axes but the last, with residual and activation in the same pass.
 *
 * y = activation(gamma · x̂ + beta + residual),  x̂ = (x − mean) · rstd,  rstd = 1 / √(variance + epsilon)
 *
 * While training, `runningMean` and `runningVariance` are inputs that forward changes.
 */
export const batchNorm: OpRecord<BatchNormOptions, BatchNormPlan> = {
  name: 'batchNorm',
  variants: () => batchNormVariants,
  inputs: {
    x: '… C',
    gamma: 'C?',
    beta: 'C?',
    runningMean: 'C?',
    runningVariance: 'C?',
    residual: '… C?',
  },
  shape: batchNormPlan,
  forward,
  saves: {
    x: ['x', 'gamma', 'beta'],
    gamma: ['x'],
    beta: ['x', 'gamma', 'beta'],
    statistics: ['x', 'gamma', 'beta'],
    activated: ['x', 'gamma', 'beta', 'residual'],
  },
  derivatives: {
    x: 'training: dx = gamma · rstd · (dz − dbeta / M − x̂ · dgamma / M), else dx = gamma · rstd · dz',
    gamma: 'dgamma[c] = Σ dz · x̂',
    beta: 'dbeta[c] = Σ dz',
    residual: 'dresidual = dz = dy · activation′',
  },
  backward,
  flops: (_inputs, plan) => (plan.setup.isTraining ? 8 : 4) * sizeOf(plan.shape),
  bytes: (inputs, plan) =>
    4 * sizeOf(plan.shape) * ((plan.setup.isTraining ? 3 : 2) + (inputs.residual ? 1 : 0)),
  source: 'Ioffe & Szegedy, Batch normalization, arXiv:1502.03167, algorithms 1 and 2',
};

function forward({
  runtime,
  inputs,
  plan,
  keepsExtras,
  isRepeated = false,
}: ForwardCall<BatchNormOptions, BatchNormPlan>) {
  const { setup } = plan;
  const { x, gamma, beta, residual, runningMean, runningVariance } = inputs;
  const moved = isRepeated ? {} : { mean: runningMean, variance: runningVariance };
  const optional = { gamma, beta, residual };
  const fused = fusedPlan(runtime, setup);
  let statistics: GpuArray;
  let y: GpuArray;
  if (fused) {
    ({ y, statistics } = batchNormForwardFused(runtime, x!, optional, moved, setup, fused));
  } else {
    statistics = setup.isTraining
      ? batchStatistics(runtime, x!, moved, setup)
      : runningStatistics(runtime, runningMean!, runningVariance!, setup);
    y = batchNormForward(runtime, x!, statistics, optional, setup);
  }
  if (!keepsExtras) {
    statistics.release();
    return { y };
  }
  // Only an activation that is told from the output needs it again.
  const keepsOutput = setup.activation !== undefined && setup.activation !== 'silu';
  return { y, extras: { statistics, ...(keepsOutput ? { activated: y.retain() } : {}) } };
}

function backward({
  runtime,
  dy,
  saved,
  plan,
  needs,
}: BackwardCall<BatchNormOptions, BatchNormPlan>): Record<string, GpuArray | undefined> {
  const { setup } = plan;
  const { x, gamma, beta, statistics, activated } = saved;
  const values = { dy, x, kept: setup.activation === 'silu' ? beta : activated, statistics };
  const found = gradientsOf(runtime, values, gamma, setup, needs);
  const dresidual = needs.residual
    ? (found.dresidual ?? residualGradient(runtime, dy, activated, setup))
    : undefined;
  if (!needs.gamma) found.dgamma?.release();
  if (!needs.beta) found.dbeta?.release();
  return {
    x: found.dx,
    residual: dresidual,
    gamma: needs.gamma ? found.dgamma : undefined,
    beta: needs.beta ? found.dbeta : undefined,
  };
}

interface Gradients {
  dx?: GpuArray | undefined;
  dresidual?: GpuArray | undefined;
  dgamma?: GpuArray | undefined;
  dbeta?: GpuArray | undefined;
}

/** By one dispatch where all is wanted and fits one, else sums first. */
function gradientsOf(
  runtime: Runtime,
  values: BatchNormSaved,
  gamma: GpuArray | undefined,
  setup: BatchNormSetup,
  needs: Readonly<Record<string, boolean | undefined>>,
): Gradients {
  // The pass that makes dx makes dz too, which is the residual's gradient.
  const keepsResidual = Boolean(needs.residual) && setup.activation !== undefined;
  // Only a fused forward pass leaves the third row of statistics that its counterpart reads.
  const hasScales = values.statistics.shape[0] === 3;
  const fused = needs.x && hasScales ? fusedPlan(runtime, setup) : null;
  if (fused) return batchNormBackwardFused(runtime, values, setup, keepsResidual, fused);
  const needsSums = needs.gamma || needs.beta || (needs.x && setup.isTraining);
  const found = needsSums ? batchNormGradSums(runtime, values, gamma, setup) : undefined;
  const { dgamma, dbeta, sums } = found ?? {};
  const inputs = needs.x
    ? batchNormGradInput(runtime, values, gamma, sums, setup, keepsResidual)
    : undefined;
  sums?.release();
  return { ...inputs, dgamma, dbeta };
}

function residualGradient(
  runtime: Runtime,
  dy: GpuArray,
  activated: GpuArray | undefined,
  { activation }: BatchNormSetup,
): GpuArray {
  return activation && activation !== 'silu'
    ? activationGradient(runtime, dy, activated!, activation)
    : dy.retain();
}
