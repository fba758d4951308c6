import {
  softmaxCrossEntropy as softmaxCrossEntropyRecord,
  type SoftmaxCrossEntropyOptions,
} from '../autograd/ops/softmax_cross_entropy.js';
import { applyOp, type Tensor } from '../tensor.js';

/**
 * Cross-entropy of softmax(logits) against labels, in one kernel that stores no probabilities.
 *
 * loss[n] = −Σ_k t[n,k] · log softmax(logits)[n,k],   t = (1 − labelSmoothing) · labels + labelSmoothing / K
 *
 * `labels` are class numbers (i32 [N]) or probabilities (f32 [N K]). The largest logit of a row is
 * taken off before exp, so large logits do no harm. A class number outside 0 … K − 1 makes the
 * loss of its row NaN (and with it a mean or sum) and the row's gradient 0: looking at labels
 * before the GPU has run would cost a read-back for each step.
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
  return applyOp(softmaxCrossEntropyRecord, { logits, labels }, options);
}
