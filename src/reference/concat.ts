/** Joins x0, x1, … along one axis; each gradient is its own part of dy. */
import { Accumulator, normalizeAxis, sizeOf } from './lib/arrays.js';
import type { RefArray, Reference, RefInputs, RefOutput } from './types.js';

export type ConcatReferenceOptions = { axis: number };

/** The inputs in order, the joined shape, and where element `flat` of input `which` comes to lie. */
function describe(inputs: RefInputs, options: ConcatReferenceOptions) {
  const parts: RefArray[] = [];
  for (let which = 0; ; which++) {
    const part = inputs[`x${which}`];
    if (!part) break;
    parts.push(part);
  }
  const axis = normalizeAxis(options.axis, parts[0].shape.length);
  const joined = parts.reduce((sum, part) => sum + part.shape[axis], 0);
  const yShape = parts[0].shape.map((length, each) => (each === axis ? joined : length));
  const inner = sizeOf(yShape.slice(axis + 1));

  function place(which: number, flat: number): number {
    const before = parts.slice(0, which).reduce((sum, part) => sum + part.shape[axis], 0);
    const block = parts[which].shape[axis] * inner;
    return Math.floor(flat / block) * joined * inner + before * inner + (flat % block);
  }
  return { parts, yShape, place };
}

export const concatReference: Reference<ConcatReferenceOptions> = {
  forward(inputs, options) {
    const { parts, yShape, place } = describe(inputs, options);
    const y = new Accumulator(yShape);
    parts.forEach((part, which) =>
      part.data.forEach((value, flat) => y.add(place(which, flat), value)),
    );
    return { y: y.finish() };
  },
  backward(inputs, options, dy) {
    const { parts, place } = describe(inputs, options);
    const gradients: Record<string, RefOutput> = {};
    parts.forEach((part, which) => {
      const dx = new Accumulator(part.shape);
      part.data.forEach((_, flat) => dx.add(flat, dy.data[place(which, flat)]));
      gradients[`x${which}`] = dx.finish();
    });
    return gradients;
  },
};
