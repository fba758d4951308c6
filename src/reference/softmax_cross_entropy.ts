/**
 * Cross-entropy of softmax(logits[N, K]) against labels: class numbers [N] or probabilities [N, K].
 *
 *     t = (1 − labelSmoothing) · labels + labelSmoothing / K        (labels one-hot where they are numbers)
 *     loss[n] = − Σ_k t[n,k] · log p[n,k],    p = softmax(logits)
 *     dlogits[n,k] = dy[n] · (p[n,k] · Σ_j t[n,j] − t[n,k])
 *     dlabels[n,k] = − dy[n] · (1 − labelSmoothing) · log p[n,k]    (probabilities only)
 */
import { Accumulator, need } from './lib/arrays.js';
import { softmaxRow, type SoftmaxRow } from './lib/log_softmax.js';
import { lossGradient, reduceLoss, type Reduction } from './lib/reduction.js';
import type { Reference, RefInputs } from './types.js';

/** Defaults: reduction 'mean', labelSmoothing 0. */
export type SoftmaxCrossEntropyReferenceOptions = {
  reduction?: Reduction;
  labelSmoothing?: number;
};

function describe(inputs: RefInputs, { labelSmoothing = 0 }: SoftmaxCrossEntropyReferenceOptions) {
  const logits = need(inputs, 'logits');
  const labels = need(inputs, 'labels');
  const [N, K] = logits.shape;
  const areNumbers = labels.shape.length === 1;

  function target(n: number, k: number): number {
    const label = areNumbers ? Number(labels.data[n] === k) : labels.data[n * K + k];
    return (1 - labelSmoothing) * label + labelSmoothing / K;
  }
  function forEachRow(visit: (n: number, row: SoftmaxRow) => void): void {
    for (let n = 0; n < N; n++) {
      visit(n, softmaxRow(Array.from(logits.data.subarray(n * K, (n + 1) * K))));
    }
  }
  return { logits, labels, N, K, areNumbers, target, forEachRow };
}

export const softmaxCrossEntropyReference: Reference<SoftmaxCrossEntropyReferenceOptions> = {
  forward(inputs, options) {
    const { N, K, target, forEachRow } = describe(inputs, options);
    const losses = new Accumulator([N]);
    forEachRow((n, row) => {
      for (let k = 0; k < K; k++) {
        const t = target(n, k);
        losses.add(n, -t * row.logProbabilities[k], Math.abs(t) * row.logMagnitudes[k]);
      }
    });
    return { y: reduceLoss(losses.finish(), options.reduction) };
  },
  backward(inputs, options, dy) {
    const { logits, labels, N, K, areNumbers, target, forEachRow } = describe(inputs, options);
    const dyOfRow = lossGradient(dy, N, options.reduction);
    const dlogits = new Accumulator(logits.shape);
    const dlabels = new Accumulator(labels.shape);
    forEachRow((n, row) => {
      let total = 0;
      for (let k = 0; k < K; k++) total += target(n, k);
      for (let k = 0; k < K; k++) {
        const [at, t] = [n * K + k, target(n, k)];
        dlogits.add(
          at,
          dyOfRow[n] * (row.probabilities[k] * total - t),
          Math.abs(dyOfRow[n]) * (row.probabilityMagnitudes[k] * Math.abs(total) + Math.abs(t)),
        );
        if (areNumbers) continue;
        const share = dyOfRow[n] * (1 - (options.labelSmoothing ?? 0));
        dlabels.add(at, -share * row.logProbabilities[k], Math.abs(share) * row.logMagnitudes[k]);
      }
    });
    const gradient = { logits: dlogits.finish(K) };
    return areNumbers ? gradient : { ...gradient, labels: dlabels.finish(K) };
  },
};
