/**
 * Negative log-likelihood of class numbers: −logProbabilities[n, labels[n]], then the mean, the sum or none.
 *
 *     dlogProbabilities[n,k] = −dy[n] where k = labels[n], else 0                  ('mean' divides dy by N)
 */
import { Accumulator, fillOutput, need } from './lib/arrays.js';
import { lossGradient, reduceLoss, type Reduction } from './lib/reduction.js';
import type { Reference } from './types.js';

/** Default: reduction 'mean'. */
export type NllLossReferenceOptions = { reduction?: Reduction };

export const nllLossReference: Reference<NllLossReferenceOptions> = {
  forward(inputs, { reduction }) {
    const [logProbabilities, labels] = [need(inputs, 'logProbabilities'), need(inputs, 'labels')];
    const [N, K] = logProbabilities.shape;
    const losses = fillOutput([N], (n) => ({
      value: -logProbabilities.data[n * K + labels.data[n]],
    }));
    return { y: reduceLoss(losses, reduction) };
  },
  backward(inputs, { reduction }, dy) {
    const [logProbabilities, labels] = [need(inputs, 'logProbabilities'), need(inputs, 'labels')];
    const [N, K] = logProbabilities.shape;
    const gradient = lossGradient(dy, N, reduction);
    const dx = new Accumulator(logProbabilities.shape);
    for (let n = 0; n < N; n++) dx.add(n * K + labels.data[n], -gradient[n]);
    return { logProbabilities: dx.finish() };
  },
};
