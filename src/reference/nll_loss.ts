/**
 * Negative log-likelihood of class numbers: −w[c] · logProbabilities[n, c] with c = labels[n] and w = classWeights [K], or
 * 1; then the mean, the sum or none. Rows whose class is `ignoreIndex` have no loss; a mean divides by the sum of w[c] over
 * the others.
 *
 *     dlogProbabilities[n,k] = −dy[n] · w[k] where k = labels[n], else 0        ('mean' divides dy too)
 */
import { Accumulator, fillOutput, need } from './lib/arrays.js';
import { lossGradient, reduceLoss, type Reduction } from './lib/reduction.js';
import type { Reference, RefInputs } from './types.js';

/** Default: reduction 'mean'. */
export type NllLossReferenceOptions = { reduction?: Reduction; ignoreIndex?: number };

function describe(inputs: RefInputs, { ignoreIndex }: NllLossReferenceOptions) {
  const [logProbabilities, labels] = [need(inputs, 'logProbabilities'), need(inputs, 'labels')];
  const [N, K] = logProbabilities.shape;
  const weightOfRow = Array.from(labels.data, (c) =>
    c === ignoreIndex ? 0 : (inputs.classWeights?.data[c] ?? 1),
  );
  const count = weightOfRow.reduce((sum, weight) => sum + weight, 0);
  return { logProbabilities, labels, N, K, weightOfRow, count };
}

export const nllLossReference: Reference<NllLossReferenceOptions> = {
  forward(inputs, options) {
    const { logProbabilities, labels, N, K, weightOfRow, count } = describe(inputs, options);
    const losses = fillOutput([N], (n) => {
      const isCounted = labels.data[n] !== options.ignoreIndex;
      const value = -weightOfRow[n] * logProbabilities.data[n * K + labels.data[n]];
      return { value: isCounted ? value : 0 };
    });
    return { y: reduceLoss(losses, options.reduction, count) };
  },
  backward(inputs, options, dy) {
    const { logProbabilities, labels, N, K, weightOfRow, count } = describe(inputs, options);
    const gradient = lossGradient(dy, N, options.reduction, count);
    const dx = new Accumulator(logProbabilities.shape);
    for (let n = 0; n < N; n++) {
      if (labels.data[n] === options.ignoreIndex) continue;
      dx.add(n * K + labels.data[n], -gradient[n] * weightOfRow[n]);
    }
    return { logProbabilities: dx.finish(N) };
  },
};
