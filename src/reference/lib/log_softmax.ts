/** Softmax of one row, with error bounds: the common part of softmax, log-softmax and cross-entropy. */
import { expMagnitude, logMagnitude } from './accuracy.js';

export interface SoftmaxRow {
  probabilities: number[];
  logProbabilities: number[];
  /** Magnitudes of the two lists above. */
  probabilityMagnitudes: number[];
  logMagnitudes: number[];
}

/**
 * log p_k = d_k − log Σ_j exp(d_j) with d = x − max x, and p = exp(log p).
 *
 * The bound: d_k and the logarithm are rounded; the sum's relative error, which the logarithm makes absolute, is the
 * mean over p of the exponentials' errors; exp turns the absolute error of its argument into a relative one.
 */
export function softmaxRow(row: readonly number[]): SoftmaxRow {
  const largest = Math.max(...row);
  const shifted = row.map((value) => value - largest);
  const sum = shifted.reduce((total, d) => total + Math.exp(d), 0);
  const logSum = Math.log(sum);
  const logProbabilities = shifted.map((d) => d - logSum);
  const probabilities = shifted.map((d) => Math.exp(d) / sum);

  const sumMagnitude = probabilities.reduce(
    (total, p, k) => total + p * (Math.abs(shifted[k]) + expMagnitude(shifted[k], 1)),
    1,
  );
  const logMagnitudes = shifted.map((d) => Math.abs(d) + logSum + logMagnitude(sum) + sumMagnitude);
  const probabilityMagnitudes = probabilities.map(
    (p, k) => p * (1 + logMagnitudes[k]) + expMagnitude(logProbabilities[k], p),
  );
  return { probabilities, logProbabilities, probabilityMagnitudes, logMagnitudes };
}
