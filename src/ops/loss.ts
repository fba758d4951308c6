import {
  binaryCrossEntropy as binaryCrossEntropyRecord,
  type BinaryCrossEntropyOptions,
} from '../autograd/ops/binary_cross_entropy.js';
import { mseLoss as mseLossRecord, type MseLossOptions } from '../autograd/ops/mse_loss.js';
import {
  nllLoss as nllLossRecord,
  type NllLossOptions as NllLossRecordOptions,
} from '../autograd/ops/nll_loss.js';
import {
  logSoftmax as logSoftmaxRecord,
  softmax as softmaxRecord,
  type SoftmaxOptions,
} from '../autograd/ops/softmax.js';
import {
  softmaxCrossEntropy as softmaxCrossEntropyRecord,
  type SoftmaxCrossEntropyOptions as SoftmaxCrossEntropyRecordOptions,
} from '../autograd/ops/softmax_cross_entropy.js';
import { ShapeError } from '../errors.js';
import { applyOp, Tensor } from '../tensor.js';
import { mul, sub } from './elementwise.js';
import { mean, sum } from './reduce.js';

/** How much each class counts. */
export interface ClassWeightOptions {
  /** A factor for each class [K]: a tensor (f32), or numbers, which are uploaded at each call. */
  classWeights?: Tensor | readonly number[] | undefined;
}

export type SoftmaxCrossEntropyOptions = SoftmaxCrossEntropyRecordOptions & ClassWeightOptions;
export type NllLossOptions = NllLossRecordOptions & ClassWeightOptions;

/**
 * Softmax along one axis: positive numbers that sum to 1.
 *
 * y[k] = exp(x[k] − max x) / Σ_j exp(x[j] − max x)
 *
 * **Shapes** x of any shape → the same; `axis` is the last one if omitted.
 * **Gradients** dx = y · (dy − Σ dy · y), the sum along the axis.
 * **Cost** 4 FLOP per value. **Saves** y. **Errors** ShapeError if the axis does not exist.
 * **Source** Goodfellow et al., Deep Learning, section 4.1.
 *
 * @example
 * const x = device.tensor([[0, Math.log(3)]]);
 * await ops.softmax(x).array(); // [[0.25, 0.75]]
 */
export function softmax(x: Tensor, options: SoftmaxOptions = {}): Tensor {
  return applyOp(softmaxRecord, { x }, options);
}

/**
 * The logarithm of softmax along one axis, without the loss of digits of log(softmax(x)).
 *
 * y[k] = x[k] − max x − log Σ_j exp(x[j] − max x)
 *
 * **Shapes** x of any shape → the same; `axis` is the last one if omitted.
 * **Gradients** dx = dy − exp(y) · Σ dy, the sum along the axis.
 * **Cost** 4 FLOP per value. **Saves** y. **Errors** ShapeError if the axis does not exist.
 * **Source** Goodfellow et al., Deep Learning, section 6.2.2.3.
 *
 * @example
 * const x = device.tensor([[0, Math.log(3)]]);
 * await ops.logSoftmax(x).array(); // [[-1.3862…, -0.2876…]] = [[log 0.25, log 0.75]]
 */
export function logSoftmax(x: Tensor, options: SoftmaxOptions = {}): Tensor {
  return applyOp(logSoftmaxRecord, { x }, options);
}

/**
 * Cross-entropy of softmax(logits) against labels, in one kernel that stores no probabilities.
 *
 * loss[n] = −Σ_k t[n,k] · log softmax(logits)[n,k],
 * t = classWeights[k] · ((1 − labelSmoothing) · labels + labelSmoothing / K)
 *
 * `labels` are class numbers (i32 [N]) or probabilities (f32 [N K]). The largest logit of a row is
 * subtracted before exp, so large logits do no harm, and a logit of −∞ at a target of 0 adds
 * nothing. Rows whose class number is `ignoreIndex` have neither loss nor gradient. Any other class
 * number outside 0 … K − 1 makes the loss of its row NaN (and with it a mean or sum) and the row's
 * gradient too: checking labels on the host would cost a read-back in every step, and zeros would
 * silently stop the training.
 *
 * A mean divides by the number of rows. Against class numbers it is the sum of the weights of the
 * rows' classes, ignored rows left out, as in PyTorch: NaN where that sum is 0.
 *
 * **Shapes** logits [N K], labels [N] or [N K], classWeights [K] → [] for 'mean' (the default) and
 * 'sum', [N] for 'none'.
 * **Gradients** dlogits[n,k] = dy[n] · (softmax(logits)[n,k] · Σ_j t[n,j] − t[n,k]), in a mean divided like it;
 * dlabels[n,k] = −dy[n] · classWeights[k] · (1 − labelSmoothing) · log softmax(logits)[n,k] where they
 * are probabilities; none of classWeights.
 * **Cost** about 4·N·K FLOP. **Saves** logits, labels and three numbers of each row.
 * **Errors** ShapeError if labels fit neither form, classWeights are not one for each class,
 * ignoreIndex is not a whole number or meets probabilities, labelSmoothing lies outside [0, 1] or the
 * reduction is unknown.
 * **Source** Goodfellow et al., Deep Learning, section 6.2.2.3; smoothing: arXiv:1512.00567, section 7.
 *
 * @example
 * const logits = device.tensor([[0, 0], [0, 0]]);
 * const labels = device.tensor(Int32Array.of(0, 1));
 * await ops.softmaxCrossEntropy(logits, labels).item(); // 0.6931… = log 2
 */
export function softmaxCrossEntropy(
  logits: Tensor,
  labels: Tensor,
  options: SoftmaxCrossEntropyOptions = {},
): Tensor {
  return withClassWeights('softmaxCrossEntropy', logits, options, (classWeights, rest) => {
    const inputs = { logits, labels, classWeights };
    const hasParts = !classWeights && rest.ignoreIndex === undefined && labels.dtype !== 'f32';
    if (logits.runtime.fusesOps || !hasParts) {
      return applyOp(softmaxCrossEntropyRecord, inputs, rest);
    }
    // Called for its checks.
    softmaxCrossEntropyRecord.shape(inputs, rest);
    return crossEntropyInParts(logits, labels, rest);
  });
}

/**
 * softmaxCrossEntropy against class numbers as separate ops, for devices without fusion. Probabilities
 * keep the fused op, since the separate ones have no rule for 0 · log 0.
 */
function crossEntropyInParts(
  logits: Tensor,
  labels: Tensor,
  { reduction = 'mean', labelSmoothing = 0 }: SoftmaxCrossEntropyRecordOptions,
): Tensor {
  const logProbabilities = logSoftmax(logits);
  let rows = nllLoss(logProbabilities, labels, { reduction: 'none' });
  if (labelSmoothing > 0) {
    const spread = labelSmoothing / logits.shape[1];
    const all = mul(sum(logProbabilities, { axis: 1 }), spread);
    rows = sub(mul(rows, 1 - labelSmoothing), all);
  }
  return reduction === 'none' ? rows : reduction === 'sum' ? sum(rows) : mean(rows);
}

/** Runs `fn` with the class weights as a tensor without gradient and the remaining options. */
function withClassWeights<Options extends ClassWeightOptions>(
  op: string,
  { runtime }: Tensor,
  { classWeights, ...options }: Options,
  fn: (classWeights: Tensor | undefined, options: Omit<Options, 'classWeights'>) => Tensor,
): Tensor {
  if (classWeights === undefined) return fn(undefined, options);
  if (!(classWeights instanceof Tensor) && !Array.isArray(classWeights)) {
    throw new ShapeError(`${op}: classWeights must be a tensor or an array of numbers`);
  }
  const weights =
    classWeights instanceof Tensor ? classWeights.detach() : uploaded(runtime, classWeights);
  // The tape holds its own references to what backward needs.
  try {
    return fn(weights, options);
  } finally {
    weights.dispose();
  }
}

function uploaded(runtime: Tensor['runtime'], values: readonly number[]): Tensor {
  const array = runtime.alloc([Math.max(values.length, 1)]);
  runtime.write(array, Float32Array.from(values));
  return Tensor.own(runtime, array);
}

/**
 * Squared error.
 *
 * loss[i] = (prediction[i] − target[i])²,   then the mean over all elements, the sum, or none
 *
 * **Shapes** prediction and target of one shape → [] for 'mean' (the default) and 'sum', that shape for 'none'.
 * **Gradients** dprediction = 2 · dy · (prediction − target), dy / count in a mean; dtarget = −dprediction.
 * **Cost** 3 FLOP per element. **Saves** both inputs.
 * **Errors** ShapeError if the shapes differ (nothing is broadcast) or the reduction is unknown.
 * **Source** Goodfellow et al., Deep Learning, section 5.1.4.
 *
 * @example
 * const prediction = device.tensor([1, 2, 4, 8]);
 * const target = device.tensor([1, 1, 2, 5]);
 * await ops.mseLoss(prediction, target).item(); // 3.5 = (0 + 1 + 4 + 9) / 4
 */
export function mseLoss(prediction: Tensor, target: Tensor, options: MseLossOptions = {}): Tensor {
  return applyOp(mseLossRecord, { prediction, target }, options);
}

/**
 * Negative log-likelihood of class numbers, from log-probabilities such as those of logSoftmax.
 *
 * loss[n] = −classWeights[c] · logProbabilities[n, c], c = labels[n],   then the mean over all rows, the sum, or none
 *
 * softmaxCrossEntropy does both steps at once. Rows whose class number is `ignoreIndex` have neither
 * loss nor gradient; any other class number outside 0 … K − 1 makes the loss of its row and the
 * row's gradient NaN. A mean divides by the sum of the weights of the rows' classes, ignored rows
 * left out: NaN where that sum is 0.
 *
 * **Shapes** logProbabilities [N K], labels i32 [N], classWeights [K] (1 if omitted) → [] for
 * 'mean' (the default) and 'sum', [N] for 'none'.
 * **Gradients** dlogProbabilities[n,k] = −dy[n] · classWeights[k] where k = labels[n], else 0, in a mean
 * divided like it; none of classWeights.
 * **Cost** N FLOP. **Saves** labels.
 * **Errors** ShapeError if labels are not one class number for each row, classWeights are not one
 * for each class, ignoreIndex is not a whole number, or the reduction is unknown.
 * **Source** Goodfellow et al., Deep Learning, section 6.2.1.
 *
 * @example
 * const logProbabilities = device.tensor([[-1, -2], [-3, -4]]);
 * const labels = device.tensor(Int32Array.of(1, 0));
 * await ops.nllLoss(logProbabilities, labels).item(); // 2.5 = (2 + 3) / 2
 */
export function nllLoss(
  logProbabilities: Tensor,
  labels: Tensor,
  options: NllLossOptions = {},
): Tensor {
  return withClassWeights('nllLoss', logProbabilities, options, (classWeights, rest) =>
    applyOp(nllLossRecord, { logProbabilities, labels, classWeights }, rest),
  );
}

/**
 * Cross-entropy of independent yes-or-no targets.
 *
 * loss[i] = −t · log p − (1 − t) · log(1 − p),   then the mean over all elements, the sum, or none
 *
 * p is the prediction, its logarithms no lower than −100; with `fromLogits` it is sigmoid(z) of the
 * prediction z, and the loss is computed as max(z, 0) − z · t + log(1 + exp(−|z|)), which keeps its
 * digits where the sigmoid saturates. A logit of ±∞ at the target it is right about adds nothing.
 *
 * **Shapes** prediction and target of one shape → [] for 'mean' (the default) and 'sum', that shape for 'none'.
 * **Gradients** dprediction = dy · (p − t) / max(p · (1 − p), 1e-12), with fromLogits dy · (sigmoid(z) − t);
 * dtarget = dy · (log(1 − p) − log p), with fromLogits −dy · z. dy / count in a mean.
 * **Cost** 8 FLOP per element. **Saves** both inputs.
 * **Errors** ShapeError if the shapes differ (nothing is broadcast) or the reduction is unknown.
 * **Source** Goodfellow et al., Deep Learning, section 6.2.2.2.
 *
 * @example
 * const prediction = device.tensor([0, 0]);
 * const target = device.tensor([0, 1]);
 * await ops.binaryCrossEntropy(prediction, target, { fromLogits: true }).item(); // 0.6931… = log 2
 */
export function binaryCrossEntropy(
  prediction: Tensor,
  target: Tensor,
  options: BinaryCrossEntropyOptions = {},
): Tensor {
  return applyOp(binaryCrossEntropyRecord, { prediction, target }, options);
}
