/**
 * Reads along one axis: y[o, p, i] = x[o, indices[o, p, i], i]. An element that is read several times receives the sum of
 * those gradients.
 */
import { Accumulator, copyOutput, need, normalizeAxis, splitAtAxis } from './lib/arrays.js';
import type { Reference, RefInputs } from './types.js';

/** Default: the last axis. */
export type TakeAlongAxisReferenceOptions = { axis?: number };

/** The offset in x that each element of y is read from. */
function describe(inputs: RefInputs, { axis = -1 }: TakeAlongAxisReferenceOptions) {
  const [x, indices] = [need(inputs, 'x'), need(inputs, 'indices')];
  const at = normalizeAxis(axis, x.shape.length);
  const { length, inner } = splitAtAxis(x.shape, at);
  const picks = indices.shape[at];
  const offsets = Array.from(indices.data, (index, flat) => {
    const outer = Math.floor(flat / (picks * inner));
    const l = index < 0 ? index + length : index;
    return (outer * length + l) * inner + (flat % inner);
  });
  return { x, yShape: indices.shape, offsets };
}

export const takeAlongAxisReference: Reference<TakeAlongAxisReferenceOptions> = {
  forward(inputs, options) {
    const { x, yShape, offsets } = describe(inputs, options);
    return { y: copyOutput(yShape, x, (flat) => offsets[flat]) };
  },
  backward(inputs, options, dy) {
    const { x, offsets } = describe(inputs, options);
    const dx = new Accumulator(x.shape);
    offsets.forEach((offset, flat) => dx.add(offset, dy.data[flat]));
    return { x: dx.finish() };
  },
};
