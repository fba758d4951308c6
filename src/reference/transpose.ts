/** Reorders axes: axis i of y is axis permutation[i] of x; absent, the axes are reversed. dx is permuted back. */
import { Accumulator, copyOutput, forEachIndex, need, sizeOf, stridesOf } from './lib/arrays.js';
import type { Reference, RefInputs } from './types.js';

export type TransposeReferenceOptions = { permutation?: readonly number[] };

/** y's shape, and for each of its elements the place in x. */
function describe(inputs: RefInputs, options: TransposeReferenceOptions) {
  const x = need(inputs, 'x');
  const permutation = options.permutation ?? x.shape.map((_, axis) => x.shape.length - 1 - axis);
  const yShape = permutation.map((axis) => x.shape[axis]);
  const strides = stridesOf(x.shape);
  const places = new Int32Array(sizeOf(yShape));
  forEachIndex(yShape, (flat, index) => {
    places[flat] = index.reduce((sum, i, axis) => sum + i * strides[permutation[axis]], 0);
  });
  return { x, yShape, places };
}

export const transposeReference: Reference<TransposeReferenceOptions> = {
  forward(inputs, options) {
    const { x, yShape, places } = describe(inputs, options);
    return { y: copyOutput(yShape, x, (flat) => places[flat]) };
  },
  backward(inputs, options, dy) {
    const { x, places } = describe(inputs, options);
    const dx = new Accumulator(x.shape);
    places.forEach((place, flat) => dx.add(place, dy.data[flat]));
    return { x: dx.finish() };
  },
};
