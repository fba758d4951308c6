/**
 * Indices of the k largest elements along an axis, largest first; of equals the first comes first. A NaN counts as
 * larger than every number, as in PyTorch.
 *
 *     y[o, j, i] = the r of the j-th largest x[o, r, i]
 */
import { fillOutput, need, normalizeAxis, splitAtAxis } from './lib/arrays.js';
import type { Reference } from './types.js';

/** Default: the last axis. */
export type TopKReferenceOptions = { k: number; axis?: number };

/** Negative where a stands before b. */
function compare(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(b)) - Number(Number.isNaN(a));
  return b - a;
}

export const topKReference: Reference<TopKReferenceOptions> = {
  forward(inputs, { k, axis = -1 }) {
    const x = need(inputs, 'x');
    const at = normalizeAxis(axis, x.shape.length);
    const { length, inner } = splitAtAxis(x.shape, at);
    const yShape = x.shape.map((size, each) => (each === at ? k : size));

    return {
      y: fillOutput(yShape, (flat) => {
        const i = flat % inner;
        const j = Math.floor(flat / inner) % k;
        const o = Math.floor(flat / (inner * k));
        const valueAt = (r: number) => x.data[(o * length + r) * inner + i];
        const order = Array.from({ length }, (_, r) => r);
        order.sort((a, b) => compare(valueAt(a), valueAt(b)) || a - b);
        return { value: order[j] };
      }),
    };
  },
  /** An index does not move with x: there is no gradient. */
  backward: () => ({}),
};
