/** Surrounds x with a constant: y[i] = x[i − before] inside, `value` outside; dx is the inside of dy. */
import { Accumulator, copyOutput, forEachIndex, need, sizeOf, stridesOf } from './lib/arrays.js';
import type { Reference, RefInputs } from './types.js';

/** `padding` has [before, after] for each axis. Default: value 0. */
export type PadReferenceOptions = {
  padding: readonly (readonly [number, number])[];
  value?: number;
};

/** y's shape, and for each element of x its place in y. */
function describe(inputs: RefInputs, { padding }: PadReferenceOptions) {
  const x = need(inputs, 'x');
  const yShape = x.shape.map((length, axis) => padding[axis][0] + length + padding[axis][1]);
  const strides = stridesOf(yShape);
  const places = new Int32Array(sizeOf(x.shape));
  forEachIndex(x.shape, (flat, index) => {
    places[flat] = index.reduce((sum, i, axis) => sum + (i + padding[axis][0]) * strides[axis], 0);
  });
  return { x, yShape, places };
}

export const padReference: Reference<PadReferenceOptions> = {
  forward(inputs, options) {
    const { x, yShape, places } = describe(inputs, options);
    const inside = new Map(Array.from(places, (place, flat) => [place, x.data[flat]]));
    const y = new Accumulator(yShape);
    y.data.forEach((_, flat) => y.add(flat, inside.get(flat) ?? options.value ?? 0));
    return { y: y.finish() };
  },
  backward(inputs, options, dy) {
    const { x, places } = describe(inputs, options);
    return { x: copyOutput(x.shape, dy, (flat) => places[flat]) };
  },
};
