import { sizeOf, type GpuArray } from '../../gpu/array.js';
import type { Runtime } from '../../gpu/runtime.js';
import { batchNormBackward, batchNormForward } from '../../kernels/batch_norm/batch_norm.js';
import type { BatchNormSetup } from '../../kernels/batch_norm/setup.js';
import { batchNormVariantNames } from '../../kernels/batch_norm/variants.js';
import { activationGradient } from '../../kernels/lib/activation.js';
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
  variants: () => batchNormVariantNames,
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
  const running = { mean: runningMean, variance: runningVariance };
  const moved = isRepeated ? {} : running;
  const optional = { gamma, beta, residual };
  const { y, statistics } = batchNormForward(runtime, x!, optional, running, moved, setup);
  if (!keepsExtras) {
    statistics.release();
    return { y };
  }
  // Only an activation that is computed from the output needs it again.
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
  const found = batchNormBackward(runtime, values, gamma, setup, needs);
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
