/**
 * Index of the largest (op 'argmin': smallest) element along an axis, the first if several tie; of the flattened x
 * where `axis` is absent. A NaN counts as larger (smaller) than every number, as in NumPy and PyTorch.
 */
import { fillOutput, need, normalizeAxis, splitAtAxis } from './lib/arrays.js';
import type { Reference } from './types.js';

/** Default: keepDims false. */
export type ArgMaxReferenceOptions = { op?: 'argmin'; axis?: number; keepDims?: boolean };

export const argMaxReference: Reference<ArgMaxReferenceOptions> = {
  forward(inputs, { op, axis, keepDims }) {
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
        const at = (i: number) => x.data[start + i * inner];
        const isBetter = (value: number, best: number) =>
          !Number.isNaN(best) &&
          (Number.isNaN(value) || (op === 'argmin' ? value < best : value > best));
        let best = 0;
        for (let i = 1; i < length; i++) if (isBetter(at(i), at(best))) best = i;
        return { value: best };
      }),
    };
  },
  /** An index does not move with x: there is no gradient. */
  backward: () => ({}),
};
