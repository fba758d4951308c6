/** A box of x: y[i] = x[begin + i] for i below `size`; dx is dy in the box and zero outside. */
import { Accumulator, copyOutput, forEachIndex, need, sizeOf, stridesOf } from './lib/arrays.js';
import type { Reference, RefInputs } from './types.js';

export type SliceReferenceOptions = { begin: readonly number[]; size: readonly number[] };

/** For each element of y its place in x. */
function describe(inputs: RefInputs, { begin, size }: SliceReferenceOptions) {
  const x = need(inputs, 'x');
  const strides = stridesOf(x.shape);
  const places = new Int32Array(sizeOf(size));
  forEachIndex(size, (flat, index) => {
    places[flat] = index.reduce((sum, i, axis) => sum + (i + begin[axis]) * strides[axis], 0);
  });
  return { x, places };
}

export const sliceReference: Reference<SliceReferenceOptions> = {
  forward(inputs, options) {
    const { x, places } = describe(inputs, options);
    return { y: copyOutput(options.size, x, (flat) => places[flat]) };
  },
  backward(inputs, options, dy) {
    const { x, places } = describe(inputs, options);
    const dx = new Accumulator(x.shape);
    places.forEach((place, flat) => dx.add(place, dy.data[flat]));
    return { x: dx.finish() };
  },
};
