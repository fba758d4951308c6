import {
  batchNorm as batchNormRecord,
  type BatchNormOptions as BatchNormRecordOptions,
} from '../autograd/ops/batch_norm.js';
import {
  groupNorm as groupNormRecord,
  instanceNorm as instanceNormRecord,
  layerNorm as layerNormRecord,
  type GroupNormOptions as GroupNormRecordOptions,
} from '../autograd/ops/group_norm.js';
import type { NormActivation } from '../kernels/lib/activation.js';
import { applyOp, type Tensor } from '../tensor.js';
import { withActivation } from './conv.js';
import { add, type Activation } from './elementwise.js';

export interface BatchNormOptions extends Omit<BatchNormRecordOptions, 'activation' | 'training'> {
  /**
   * True: normalise with the batch's statistics and update the running ones; false: use the running
   * ones.
   */
  training: boolean;
  /** Scale of each channel [C]; 1 if omitted. */
  gamma?: Tensor | undefined;
  /** Shift of each channel [C]; 0 if omitted. */
  beta?: Tensor | undefined;
  /** Mean over past batches [C], changed in place while training. */
  runningMean?: Tensor | undefined;
  /** Unbiased variance over past batches [C], changed in place while training. */
  runningVariance?: Tensor | undefined;
  /** Added before the activation; of x's shape. */
  residual?: Tensor | undefined;
  activation?: Activation | undefined;
}

/**
 * Batch normalisation over all axes but the last, with residual and activation in the same pass.
 *
 * y = activation(gamma · x̂ + beta + residual),   x̂ = (x − mean) / √(variance + epsilon)
 *
 * With `training`, mean and (biased) variance are those of the batch's M values of each channel, and
 * runningMean ← (1 − momentum) · runningMean + momentum · mean,
 * runningVariance ← (1 − momentum) · runningVariance + momentum · variance · M / (M − 1),
 * in place; `momentum` is the share of the new batch (Keras' 0.99 is 0.01 here). Otherwise the
 * running statistics are used and stay as they are. silu is fused where gamma and beta are given and
 * no residual is; other activations whose derivative needs the value before them (gelu …) follow
 * as an operation of their own.
 *
 * **Shapes** x [… C] of rank 2 or more, residual alike; gamma, beta, runningMean, runningVariance [C] → x's shape.
 * **Gradients** with dz = dy · activation′: dresidual = dz; dbeta = Σ dz; dgamma = Σ dz · x̂;
 * dx = gamma · rstd · (dz − dbeta / M − x̂ · dgamma / M) in training, else gamma · rstd · dz.
 * **Cost** 8 FLOP per value in training, 4 otherwise. **Saves** x, gamma, two or three numbers of each channel;
 * y where an activation other than silu is fused.
 * **Errors** ShapeError if lengths differ from C, the running statistics are missing though not
 * training, momentum or epsilon lie out of range, or a training channel has a single value.
 * **Source** arXiv:1502.03167, algorithms 1 and 2.
 *
 * @example
 * const x = device.tensor([[1, 10], [3, 30]]);
 * const y = ops.batchNorm(x, { training: true, epsilon: 1e-12 });
 * await y.array(); // [[-1, -1], [1, 1]]
 */
export function batchNorm(x: Tensor, options: BatchNormOptions): Tensor {
  const { activation } = options;
  // Backward recomputes the value before silu from x, gamma and beta; y does not determine it.
  const fusesSilu = options.gamma && options.beta && !options.residual && x.runtime.fusesOps;
  if (activation === 'silu' && fusesSilu) return normalize(x, { ...options, activation });
  return withActivation(x, options, (rest) => normalize(x, rest));
}

function normalize(
  x: Tensor,
  options: Omit<BatchNormOptions, 'activation'> & { activation?: NormActivation },
): Tensor {
  const { gamma, beta, runningMean, runningVariance, residual, ...settings } = options;
  const inputs = { x, gamma, beta, runningMean, runningVariance };
  // For any other shape the op throws its own error.
  if (residual && !x.runtime.fusesOps && residual.shape.join() === x.shape.join()) {
    return add(applyOp(batchNormRecord, inputs, settings), residual);
  }
  return applyOp(batchNormRecord, { ...inputs, residual }, settings);
}

/** Scale, shift and epsilon of a normalisation. */
export interface NormFactors extends Pick<GroupNormRecordOptions, 'epsilon' | 'variant'> {
  /** Scale; 1 if omitted. */
  gamma?: Tensor | undefined;
  /** Shift; 0 if omitted. */
  beta?: Tensor | undefined;
}

export type GroupNormOptions = NormFactors & { groups: number };
export type InstanceNormOptions = NormFactors;
export type LayerNormOptions = NormFactors & Pick<GroupNormRecordOptions, 'axis'>;

/**
 * Normalises each image by the statistics of groups of its channels.
 *
 * y = gamma[c] · (x − mean) / √(variance + epsilon) + beta[c], mean and (biased) variance over all
 * pixels of the C / groups neighbouring channels that c belongs to
 *
 * **Shapes** x [N … C], gamma and beta [C] → x's shape; `groups` divides C, epsilon is 1e-5 by default.
 * **Gradients** with g = dy · gamma: dx = rstd · (g − mean g − x̂ · mean(g · x̂)), means over the group;
 * dgamma = Σ dy · x̂; dbeta = Σ dy.
 * **Cost** 8 FLOP per value. **Saves** x, gamma and two numbers of each group.
 * **Errors** ShapeError if groups do not divide C, gamma or beta differ from [C], epsilon is not
 * above 0, or x has one dimension.
 * **Source** arXiv:1803.08494, section 3.
 *
 * @example
 * const x = device.tensor([[1, 3, 10, 30]]);
 * await ops.groupNorm(x, { groups: 2, epsilon: 1e-12 }).array(); // [[-1, 1, -1, 1]]
 */
export function groupNorm(x: Tensor, options: GroupNormOptions): Tensor {
  const { gamma, beta, ...rest } = options;
  return applyOp(groupNormRecord, { x, gamma, beta }, rest);
}

/**
 * Normalises each channel of each image by its own statistics: groupNorm with a group for each channel.
 *
 * y = gamma[c] · (x − mean) / √(variance + epsilon) + beta[c], mean and (biased) variance over all
 * pixels of channel c of the image
 *
 * **Shapes** x [N … C], gamma and beta [C] → x's shape; epsilon is 1e-5 by default.
 * **Gradients** as of groupNorm. **Cost** 8 FLOP per value. **Saves** x, gamma and two numbers of each channel.
 * **Errors** ShapeError if gamma or beta differ from [C], epsilon is not above 0, or x has one dimension.
 * **Source** arXiv:1607.08022, equation 3.
 *
 * @example
 * const x = device.tensor([[[1, 10], [3, 30]]]);
 * await ops.instanceNorm(x, { epsilon: 1e-12 }).array(); // [[[-1, -1], [1, 1]]]
 */
export function instanceNorm(x: Tensor, options: InstanceNormOptions = {}): Tensor {
  const { gamma, beta, ...rest } = options;
  return applyOp(instanceNormRecord, { x, gamma, beta }, rest);
}

/**
 * Normalises each example by the statistics of all its values from `axis` on.
 *
 * y = gamma · (x − mean) / √(variance + epsilon) + beta, mean and (biased) variance over the axes
 * from `axis` (default −1: the last alone) to the end
 *
 * **Shapes** x of any shape, gamma and beta of the shape of the normalised axes → x's shape; epsilon
 * is 1e-5 by default. **Gradients** as of groupNorm, the means over the normalised axes.
 * **Cost** 8 FLOP per value. **Saves** x, gamma and two numbers of each example.
 * **Errors** ShapeError if the axis does not exist, gamma or beta have another shape, or epsilon is
 * not above 0.
 * **Source** arXiv:1607.06450, section 3.
 *
 * @example
 * const x = device.tensor([[1, 3], [10, 30]]);
 * await ops.layerNorm(x, { epsilon: 1e-12 }).array(); // [[-1, 1], [-1, 1]]
 */
export function layerNorm(x: Tensor, options: LayerNormOptions = {}): Tensor {
  const { gamma, beta, ...rest } = options;
  return applyOp(layerNormRecord, { x, gamma, beta }, rest);
}
