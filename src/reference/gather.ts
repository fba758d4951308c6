/**
 * Selects along one axis: y[…, indices, …] = x[…, i, …]; the axis of x is replaced by the shape of `indices`. An element
 * picked several times receives the sum of those gradients.
 */
import { Accumulator, copyOutput, need, normalizeAxis, sizeOf, splitAtAxis } from './lib/arrays.js';
import type { Reference, RefInputs } from './types.js';

/** Default: axis 0. */
export type GatherReferenceOptions = { axis?: number };

/** y's shape, and the place in x each of its elements is read from. */
function describe(inputs: RefInputs, { axis = 0 }: GatherReferenceOptions) {
  const [x, indices] = [need(inputs, 'x'), need(inputs, 'indices')];
  const at = normalizeAxis(axis, x.shape.length);
  const { length, inner } = splitAtAxis(x.shape, at);
  const yShape = [...x.shape.slice(0, at), ...indices.shape, ...x.shape.slice(at + 1)];
  const picks = indices.data.length;
  const places = Int32Array.from({ length: sizeOf(yShape) }, (_, flat) => {
    const outer = Math.floor(flat / (picks * inner));
    const pick = indices.data[Math.floor(flat / inner) % picks];
    return (outer * length + pick) * inner + (flat % inner);
  });
  return { x, yShape, places };
}

export const gatherReference: Reference<GatherReferenceOptions> = {
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
