/**
 * Cross-entropy of softmax(logits[N, K]) against labels: class numbers [N] or probabilities [N, K].
 *
 *     t = w[k] · ((1 − labelSmoothing) · labels + labelSmoothing / K)        (labels one-hot where they are numbers)
 *     loss[n] = − Σ_k t[n,k] · log p[n,k],    p = softmax(logits)
 *     dlogits[n,k] = dy[n] · (p[n,k] · Σ_j t[n,j] − t[n,k])
 *     dlabels[n,k] = − dy[n] · w[k] · (1 − labelSmoothing) · log p[n,k]    (probabilities only)
 *
 * with w = classWeights [K], or 1. Rows whose class number is `ignoreIndex` have no loss. A mean divides by the number of
 * rows; against class numbers by the sum of w[labels[n]] over the rows that are not ignored, as in PyTorch.
 */
import { Accumulator, need } from './lib/arrays.js';
import { softmaxRow, type SoftmaxRow } from './lib/log_softmax.js';
import { lossGradient, reduceLoss, type Reduction } from './lib/reduction.js';
import type { Reference, RefInputs } from './types.js';

/** Defaults: reduction 'mean', labelSmoothing 0. */
export type SoftmaxCrossEntropyReferenceOptions = {
  reduction?: Reduction;
  labelSmoothing?: number;
  ignoreIndex?: number;
};

function describe(
  inputs: RefInputs,
  { labelSmoothing = 0, ignoreIndex }: SoftmaxCrossEntropyReferenceOptions,
) {
  const logits = need(inputs, 'logits');
  const labels = need(inputs, 'labels');
  const [N, K] = logits.shape;
  const areNumbers = labels.shape.length === 1;

  const weight = (k: number): number => inputs.classWeights?.data[k] ?? 1;
  const isIgnored = (n: number): boolean => areNumbers && labels.data[n] === ignoreIndex;
  let count = N;
  if (areNumbers) {
    count = 0;
    for (let n = 0; n < N; n++) if (!isIgnored(n)) count += weight(labels.data[n]);
  }

  function target(n: number, k: number): number {
    if (isIgnored(n)) return 0;
    const label = areNumbers ? Number(labels.data[n] === k) : labels.data[n * K + k];
    return weight(k) * ((1 - labelSmoothing) * label + labelSmoothing / K);
  }
  function forEachRow(visit: (n: number, row: SoftmaxRow) => void): void {
    for (let n = 0; n < N; n++) {
      visit(n, softmaxRow(Array.from(logits.data.subarray(n * K, (n + 1) * K))));
    }
  }
  return { logits, labels, N, K, count, areNumbers, weight, target, forEachRow };
}

export const softmaxCrossEntropyReference: Reference<SoftmaxCrossEntropyReferenceOptions> = {
  forward(inputs, options) {
    const { N, K, count, target, forEachRow } = describe(inputs, options);
    const losses = new Accumulator([N]);
    forEachRow((n, row) => {
      for (let k = 0; k < K; k++) {
        const t = target(n, k);
        losses.add(n, -t * row.logProbabilities[k], Math.abs(t) * row.logMagnitudes[k]);
      }
    });
    return { y: reduceLoss(losses.finish(), options.reduction, count) };
  },
  backward(inputs, options, dy) {
    const { logits, labels, N, K, count, areNumbers, weight, target, forEachRow } = describe(
      inputs,
      options,
    );
    const dyOfRow = lossGradient(dy, N, options.reduction, count);
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
        const share = dyOfRow[n] * weight(k) * (1 - (options.labelSmoothing ?? 0));
        dlabels.add(at, -share * row.logProbabilities[k], Math.abs(share) * row.logMagnitudes[k]);
      }
    });
    const gradient = { logits: dlogits.finish(K) };
    return areNumbers ? gradient : { ...gradient, labels: dlabels.finish(K) };
  },
};
