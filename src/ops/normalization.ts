import {
  batchNorm as batchNormRecord,
  type BatchNormOptions as BatchNormRecordOptions,
} from '../autograd/ops/batch_norm.js';
import type { NormActivation } from '../kernels/activation.js';
import { applyOp, type Tensor } from '../tensor.js';
import { withActivation } from './conv.js';
import { add, type Activation } from './elementwise.js';

export interface BatchNormOptions extends Omit<BatchNormRecordOptions, 'activation' | 'training'> {
  /** True: normalise with the batch's statistics and move the running ones; false: with the running ones. */
  training: boolean;
  /** Scale of each channel [C]; 1 where left out. */
  gamma?: Tensor | undefined;
  /** Shift of each channel [C]; 0 where left out. */
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
 * **Cost** 8 FLOP a value in training, 4 otherwise. **Saves** x, gamma, two or three numbers of each channel;
 * y where an activation other than silu is fused.
 * **Errors** ShapeError where lengths differ from C, the running statistics are missing though not
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
  // What comes before silu can be worked out again from x, gamma and beta, though not from y.
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
  // A residual of another shape is an error, which the op itself words.
  if (residual && !x.runtime.fusesOps && residual.shape.join() === x.shape.join()) {
    return add(applyOp(batchNormRecord, inputs, settings), residual);
  }
  return applyOp(batchNormRecord, { ...inputs, residual }, settings);
}
