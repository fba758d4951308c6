import {
  binaryCrossEntropy as binaryCrossEntropyRecord,
  type BinaryCrossEntropyOptions,
} from '../autograd/ops/binary_cross_entropy.js';
import { mseLoss as mseLossRecord, type MseLossOptions } from '../autograd/ops/mse_loss.js';
import { nllLoss as nllLossRecord, type NllLossOptions } from '../autograd/ops/nll_loss.js';
import {
  logSoftmax as logSoftmaxRecord,
  softmax as softmaxRecord,
  type SoftmaxOptions,
} from '../autograd/ops/softmax.js';
import {
  softmaxCrossEntropy as softmaxCrossEntropyRecord,
  type SoftmaxCrossEntropyOptions,
} from '../autograd/ops/softmax_cross_entropy.js';
import { applyOp, type Tensor } from '../tensor.js';
import { add, mul, neg, sub } from './elementwise.js';
import { mean, sum } from './reduce.js';

/**
 * Softmax along one axis: positive numbers that sum to 1.
 *
 * y[k] = exp(x[k] − max x) / Σ_j exp(x[j] − max x)
 *
 * **Shapes** x of any shape → the same; `axis` is the last one where left out.
 * **Gradients** dx = y · (dy − Σ dy · y), the sum along the axis.
 * **Cost** 4 FLOP a value. **Saves** y. **Errors** ShapeError where the axis does not exist.
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
 * **Shapes** x of any shape → the same; `axis` is the last one where left out.
 * **Gradients** dx = dy − exp(y) · Σ dy, the sum along the axis.
 * **Cost** 4 FLOP a value. **Saves** y. **Errors** ShapeError where the axis does not exist.
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
 * loss[n] = −Σ_k t[n,k] · log softmax(logits)[n,k],   t = (1 − labelSmoothing) · labels + labelSmoothing / K
 *
 * `labels` are class numbers (i32 [N]) or probabilities (f32 [N K]). The largest logit of a row is
 * taken off before exp, so large logits do no harm, and a logit of −∞ at a target of 0 adds
 * nothing. A class number outside 0 … K − 1 makes the loss of its row NaN (and with it a mean or
 * sum) and the row's gradient too: looking at labels before the GPU has run would cost a read-back
 * for each step, and zeros would let training stand still in silence.
 *
 * **Shapes** logits [N K], labels [N] or [N K] → [] for 'mean' (the default) and 'sum', [N] for 'none'.
 * **Gradients** dlogits[n,k] = dy[n] · (softmax(logits)[n,k] · Σ_j t[n,j] − t[n,k]), dy / N in a mean;
 * dlabels[n,k] = −dy[n] · (1 − labelSmoothing) · log softmax(logits)[n,k] where they are probabilities.
 * **Cost** about 4·N·K FLOP. **Saves** logits, labels and three numbers of each row.
 * **Errors** ShapeError where labels fit neither form, labelSmoothing lies outside [0, 1] or the
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
  if (logits.runtime.fusesOps)
    return applyOp(softmaxCrossEntropyRecord, { logits, labels }, options);
  // For the errors it throws.
  softmaxCrossEntropyRecord.shape({ logits, labels }, options);
  return crossEntropyInParts(logits, labels, options);
}

/** softmaxCrossEntropy as ops of their own, for devices that fuse nothing. */
function crossEntropyInParts(
  logits: Tensor,
  labels: Tensor,
  { reduction = 'mean', labelSmoothing = 0 }: SoftmaxCrossEntropyOptions,
): Tensor {
  const logProbabilities = logSoftmax(logits);
  const share = 1 - labelSmoothing;
  const spread = labelSmoothing / logits.shape[1];
  let rows: Tensor;
  if (labels.shape.length === 2) {
    const targets = add(mul(labels, share), spread);
    rows = neg(sum(mul(logProbabilities, targets), { axis: 1 }));
  } else {
    rows = nllLoss(logProbabilities, labels, { reduction: 'none' });
    if (labelSmoothing > 0) {
      rows = sub(mul(rows, share), mul(sum(logProbabilities, { axis: 1 }), spread));
    }
  }
  return reduction === 'none' ? rows : reduction === 'sum' ? sum(rows) : mean(rows);
}

/**
 * Squared error.
 *
 * loss[i] = (prediction[i] − target[i])²,   then the mean over all elements, the sum, or none
 *
 * **Shapes** prediction and target of one shape → [] for 'mean' (the default) and 'sum', that shape for 'none'.
 * **Gradients** dprediction = 2 · dy · (prediction − target), dy / count in a mean; dtarget = −dprediction.
 * **Cost** 3 FLOP an element. **Saves** both inputs.
 * **Errors** ShapeError where the shapes differ (nothing is broadcast) or the reduction is unknown.
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
 * loss[n] = −logProbabilities[n, labels[n]],   then the mean over all rows, the sum, or none
 *
 * softmaxCrossEntropy does both steps at once. A class number outside 0 … K − 1 makes the loss of
 * its row and the row's gradient NaN.
 *
 * **Shapes** logProbabilities [N K], labels i32 [N] → [] for 'mean' (the default) and 'sum', [N] for 'none'.
 * **Gradients** dlogProbabilities[n,k] = −dy[n] where k = labels[n], else 0; dy / N in a mean.
 * **Cost** N FLOP. **Saves** labels.
 * **Errors** ShapeError where labels are not one class number for each row, or the reduction is unknown.
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
  return applyOp(nllLossRecord, { logProbabilities, labels }, options);
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
 * **Cost** 8 FLOP an element. **Saves** both inputs.
 * **Errors** ShapeError where the shapes differ (nothing is broadcast) or the reduction is unknown.
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
