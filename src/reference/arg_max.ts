/** Index of the largest element along an axis, the first where several tie; of the flattened x where `axis` is absent. */
import { fillOutput, need, normalizeAxis, splitAtAxis } from './lib/arrays.js';
import type { Reference } from './types.js';

/** Default: keepDims false. */
export type ArgMaxReferenceOptions = { axis?: number; keepDims?: boolean };

export const argMaxReference: Reference<ArgMaxReferenceOptions> = {
  forward(inputs, { axis, keepDims }) {
    const x = need(inputs, 'x');
    const rank = x.shape.length;
    const all = axis === undefined;
    const { length, inner } = all
      ? { length: x.data.length, inner: 1 }
      : splitAtAxis(x.shape, axis);
    const isReduced = (each: number) => all || each === normalizeAxis(axis, rank);
    const yShape = keepDims
      ? x.shape.map((size, each) => (isReduced(each) ? 1 : size))
      : x.shape.filter((_, each) => !isReduced(each));

    return {
      y: fillOutput(yShape, (flat) => {
        const start = Math.floor(flat / inner) * length * inner + (flat % inner);
        let best = 0;
        for (let i = 1; i < length; i++) {
          if (x.data[start + i * inner] > x.data[start + best * inner]) best = i;
        }
        return { value: best };
      }),
    };
  },
  /** An index does not move with x: there is no gradient. */
  backward: () => ({}),
};
