/** y[…, k] = 1 where indices[…] = k, else 0, for k below `depth`. */
import { fillOutput, need } from './lib/arrays.js';
import type { Reference } from './types.js';

export type OneHotReferenceOptions = { depth: number };

export const oneHotReference: Reference<OneHotReferenceOptions> = {
  forward(inputs, { depth }) {
    const indices = need(inputs, 'indices');
    return {
      y: fillOutput([...indices.shape, depth], (flat) => ({
        value: indices.data[Math.floor(flat / depth)] === flat % depth ? 1 : 0,
      })),
    };
  },
  /** Indices do not move continuously: there is no gradient. */
  backward: () => ({}),
};
