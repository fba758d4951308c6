/** The same elements in the same order under another shape; one length may be −1 and is then computed. */
import { copyOutput, need, sizeOf } from './lib/arrays.js';
import type { Reference } from './types.js';

export type ReshapeReferenceOptions = { shape: readonly number[] };

export const reshapeReference: Reference<ReshapeReferenceOptions> = {
  forward(inputs, options) {
    const x = need(inputs, 'x');
    const known = sizeOf(options.shape.filter((length) => length !== -1));
    const shape = options.shape.map((length) => (length === -1 ? x.data.length / known : length));
    return { y: copyOutput(shape, x, (flat) => flat) };
  },
  backward: (inputs, _options, dy) => ({
    x: copyOutput(need(inputs, 'x').shape, dy, (flat) => flat),
  }),
};
