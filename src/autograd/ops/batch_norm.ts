import { sizeOf, type GpuArray } from '../../gpu/array.js';
import { ShapeError } from '../../gpu/errors.js';
import { activationGradient, type FusedActivation } from '../../kernels/activation.js';
import { batchNormForward, batchNormGradInput } from '../../kernels/batch_norm.js';
import {
  batchNormVariants,
  type BatchNormSetup,
  type BatchNormVariant,
} from '../../kernels/batch_norm_setup.js';
import {
  batchNormGradSums,
  batchStatistics,
  runningStatistics,
} from '../../kernels/batch_norm_sums.js';
import type { BackwardCall, ForwardCall, InputMetas, OpRecord, Plan } from '../record.js';
import { expectDtype, label } from '../shapes.js';

export interface BatchNormOptions {
  /** Normalise with the batch's statistics and move the running ones. Default false. */
  training?: boolean;
  /** Share of the batch in the running statistics. Default 0.1. */
  momentum?: number;
  /** Added to the variance. Default 1e-5. */
  epsilon?: number;
  activation?: FusedActivation;
  /** For benches and tests: the kernels to use instead of the chosen ones. */
  variant?: BatchNormVariant;
}

export interface BatchNormPlan extends Plan {
  setup: BatchNormSetup;
}

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
}: ForwardCall<BatchNormOptions, BatchNormPlan>) {
  const { setup } = plan;
  const { x, gamma, beta, residual, runningMean, runningVariance } = inputs;
  const statistics = setup.isTraining
    ? batchStatistics(runtime, x!, { mean: runningMean, variance: runningVariance }, setup)
    : runningStatistics(runtime, runningMean!, runningVariance!, setup);
  const y = batchNormForward(runtime, x!, statistics, { gamma, beta, residual }, setup);
  if (!keepsExtras) {
    statistics.release();
    return { y };
  }
  // Only an activation needs the output again.
  return { y, extras: { statistics, ...(setup.activation ? { activated: y.retain() } : {}) } };
}

function backward({
  runtime,
  dy,
  saved,
  plan,
  needs,
}: BackwardCall<BatchNormOptions, BatchNormPlan>): Record<string, GpuArray | undefined> {
  const { setup } = plan;
  const { x, gamma, statistics, activated: y } = saved;
  const needsSums = needs.gamma || needs.beta || (needs.x && setup.isTraining);
  const found = needsSums ? batchNormGradSums(runtime, { dy, x, y, statistics }, setup) : undefined;
  let dx: GpuArray | undefined;
  let dresidual: GpuArray | undefined;
  if (needs.x) {
    // The pass that makes dx makes dz too, which is the residual's gradient.
    const keepsResidual = needs.residual && setup.activation !== undefined;
    const values = { dy, x, y, statistics };
    const sums = found?.sums;
    ({ dx, dresidual } = batchNormGradInput(runtime, values, gamma, sums, setup, keepsResidual));
  }
  if (needs.residual && !dresidual) {
    const { activation } = setup;
    dresidual = activation ? activationGradient(runtime, dy, y, activation) : dy.retain();
  }
  found?.sums.release();
  if (!needs.gamma) found?.dgamma.release();
  if (!needs.beta) found?.dbeta.release();
  return {
    x: dx,
    residual: dresidual,
    gamma: needs.gamma ? found?.dgamma : undefined,
    beta: needs.beta ? found?.dbeta : undefined,
  };
}

function batchNormPlan(inputs: InputMetas, options: BatchNormOptions): BatchNormPlan {
  const { training = false, momentum = 0.1, epsilon = 1e-5, activation, variant } = options;
  const { x, residual } = inputs;
  if (!x || x.shape.length < 2) {
    throw new ShapeError(
      `batchNorm: x must have at least 2 dimensions, channels last, got x ${label(x, '')}`,
    );
  }
  expectDtype('batchNorm', 'x', x);
  const c = x.shape.at(-1)!;
  const rows = sizeOf(x.shape) / c;
  const shapes = `x ${label(x, 'N H W C')}`;
  for (const name of ['gamma', 'beta', 'runningMean', 'runningVariance']) {
    const given = inputs[name];
    if (!given) continue;
    if (given.shape.length !== 1 || given.shape[0] !== c) {
      throw new ShapeError(
        `batchNorm: ${name} must have one value for each of C=${c} channels, got ${name} ${label(given, 'C')} (${shapes})`,
      );
    }
    expectDtype('batchNorm', name, given);
  }
  if (residual && residual.shape.join() !== x.shape.join()) {
    throw new ShapeError(
      `batchNorm: residual must have the shape of x (${shapes}, residual ${label(residual, 'N H W C')})`,
    );
  }
  if (residual) expectDtype('batchNorm', 'residual', residual);
  if (!inputs.runningMean !== !inputs.runningVariance || (!training && !inputs.runningMean)) {
    throw new ShapeError(
      `batchNorm: runningMean and runningVariance must both be given${training ? ', or neither' : ' unless training'} (${shapes})`,
    );
  }
  if (!(momentum >= 0 && momentum <= 1)) {
    throw new ShapeError(`batchNorm: momentum must lie in [0, 1], got ${momentum} (${shapes})`);
  }
  if (!(epsilon > 0)) {
    throw new ShapeError(`batchNorm: epsilon must be positive, got ${epsilon} (${shapes})`);
  }
  if (training && rows < 2) {
    throw new ShapeError(
      `batchNorm: training needs at least 2 values a channel, got ${rows} (${shapes})`,
      'use a larger batch, or training: false',
    );
  }
  const setup = { rows, c, isTraining: training, momentum, epsilon, activation, variant };
  return { shape: x.shape, dtype: 'f32', setup };
}
