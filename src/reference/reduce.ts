/**
 * Sum, mean, maximum, minimum, product or variance over some axes (all of them where `axis` is absent).
 *
 *     sum       dx = dy                    mean   dx = dy / n
 *     max, min  dx = dy / ties, for each of the tied elements: the gradient is shared evenly
 *     prod      dx = dy · the product of the others
 *     variance  Σ (x − mean)² / (n − correction);   dx = dy · 2 · (x − mean) / (n − correction)
 */
import {
  Accumulator,
  fillOutput,
  forEachIndex,
  need,
  normalizeAxis,
  sizeOf,
  stridesOf,
} from './lib/arrays.js';
import type { Reference, RefInputs } from './types.js';

/** Defaults: all axes, keepDims false, correction 0 (the biased variance, as NumPy has it; 1 is the unbiased one). */
export type ReduceReferenceOptions = {
  op: 'sum' | 'mean' | 'max' | 'min' | 'prod' | 'variance';
  axis?: number | number[];
  keepDims?: boolean;
  correction?: number;
};

/** The output's shape, and for each output the positions in x it is made of. */
function describe(inputs: RefInputs, { axis, keepDims }: ReduceReferenceOptions) {
  const x = need(inputs, 'x');
  const rank = x.shape.length;
  const all = Array.from({ length: rank }, (_, each) => each);
  const axes = axis === undefined ? all : [axis].flat().map((each) => normalizeAxis(each, rank));
  const kept = x.shape.map((length, each) => (axes.includes(each) ? 1 : length));
  const strides = stridesOf(kept);
  const groups = Array.from({ length: sizeOf(kept) }, (): number[] => []);
  forEachIndex(x.shape, (flat, index) => {
    const target = index.reduce(
      (sum, i, each) => sum + (kept[each] === 1 ? 0 : i * strides[each]),
      0,
    );
    groups[target].push(flat);
  });
  const yShape = keepDims ? kept : x.shape.filter((_, each) => !axes.includes(each));
  return { x, yShape, groups };
}

/** Mean of a group, and of its absolute values. */
function means(values: number[]) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const size = values.reduce((sum, value) => sum + Math.abs(value), 0) / values.length;
  return { mean, size };
}

function productOf(values: number[]): number {
  return values.reduce((product, value) => product * value, 1);
}

export const reduceReference: Reference<ReduceReferenceOptions> = {
  forward(inputs, options) {
    const { x, yShape, groups } = describe(inputs, options);
    const { op, correction = 0 } = options;
    if (op === 'prod') {
      const valueOf = (at: number) => productOf(groups[at].map((flat) => x.data[flat]));
      return { y: fillOutput(yShape, (at) => ({ value: valueOf(at) }), groups[0].length) };
    }
    const y = new Accumulator(yShape);
    groups.forEach((group, at) => {
      const values = group.map((flat) => x.data[flat]);
      if (op === 'max') y.add(at, Math.max(...values));
      else if (op === 'min') y.add(at, Math.min(...values));
      else if (op === 'sum') for (const value of values) y.add(at, value);
      else if (op === 'mean') for (const value of values) y.add(at, value / values.length);
      else {
        const { mean, size } = means(values);
        const divisor = values.length - correction;
        for (const value of values) {
          const distance = Math.abs(value - mean);
          // how far the term moves when value and mean move by their roundings
          y.add(at, distance ** 2 / divisor, (distance * (Math.abs(value) + size)) / divisor);
        }
      }
    });
    return { y: y.finish() };
  },

  backward(inputs, options, dy) {
    const { x, groups } = describe(inputs, options);
    const { op, correction = 0 } = options;
    const dx = new Accumulator(x.shape);
    groups.forEach((group, at) => {
      const values = group.map((flat) => x.data[flat]);
      const gradient = dy.data[at];
      if (op === 'sum') for (const flat of group) dx.add(flat, gradient);
      else if (op === 'mean') for (const flat of group) dx.add(flat, gradient / group.length);
      else if (op === 'prod') {
        group.forEach((flat, i) => dx.add(flat, gradient * productOf(values.toSpliced(i, 1))));
      } else if (op === 'variance') {
        const { mean, size } = means(values);
        const share = (2 * gradient) / (group.length - correction);
        for (const flat of group) {
          const magnitude = Math.abs(share) * (Math.abs(x.data[flat]) + size);
          dx.add(flat, share * (x.data[flat] - mean), magnitude);
        }
      } else {
        const extreme = op === 'max' ? Math.max(...values) : Math.min(...values);
        const tied = group.filter((flat) => x.data[flat] === extreme);
        for (const flat of tied) dx.add(flat, gradient / tied.length);
      }
    });
    return { x: dx.finish(op === 'variance' || op === 'prod' ? groups[0].length : 1) };
  },
};
