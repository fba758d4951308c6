/**
 * How a loss per example becomes the loss: 'mean' (the default), 'sum', or 'none'. `count` is what a mean divides by: the
 * examples, or where they count for different amounts the sum of their weights.
 */
import type { RefArray, RefOutput } from '../types.js';
import { Accumulator } from './arrays.js';

export type Reduction = 'mean' | 'sum' | 'none';

/** Mean or sum of all elements as a scalar; 'none' returns them as they are. */
export function reduceLoss(
  losses: RefOutput,
  reduction: Reduction = 'mean',
  count = losses.data.length,
): RefOutput {
  if (reduction === 'none') return losses;
  const divisor = reduction === 'mean' ? count : 1;
  const y = new Accumulator([]);
  losses.data.forEach((loss, i) => y.add(0, loss / divisor, losses.magnitude[i] / divisor));
  return y.finish(losses.data.length + losses.terms);
}

/** dy of each of `length` unreduced elements. */
export function lossGradient(
  dy: RefArray,
  length: number,
  reduction: Reduction = 'mean',
  count = length,
): Float64Array {
  if (reduction === 'none') return dy.data;
  return new Float64Array(length).fill(reduction === 'mean' ? dy.data[0] / count : dy.data[0]);
}
