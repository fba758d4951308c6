/** How a loss per example becomes the loss: 'mean' (the default), 'sum', or 'none'. */
import type { RefArray, RefOutput } from '../types.js';
import { Accumulator } from './arrays.js';

export type Reduction = 'mean' | 'sum' | 'none';

/** Mean or sum of all elements as a scalar; 'none' returns them as they are. */
export function reduceLoss(losses: RefOutput, reduction: Reduction = 'mean'): RefOutput {
  if (reduction === 'none') return losses;
  const count = reduction === 'mean' ? losses.data.length : 1;
  const y = new Accumulator([]);
  losses.data.forEach((loss, i) => y.add(0, loss / count, losses.magnitude[i] / count));
  return y.finish(losses.data.length + losses.terms);
}

/** dy of each unreduced element. */
export function lossGradient(
  dy: RefArray,
  count: number,
  reduction: Reduction = 'mean',
): Float64Array {
  if (reduction === 'none') return dy.data;
  return new Float64Array(count).fill(reduction === 'mean' ? dy.data[0] / count : dy.data[0]);
}
