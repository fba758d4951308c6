/** Comparisons with NumPy broadcasting: y = 1 where a and b compare as asked, else 0. There is no gradient. */
import { fillOutput, need } from './lib/arrays.js';
import { broadcastIndices, broadcastShapes } from './lib/broadcast.js';
import type { Reference } from './types.js';

const comparisons = {
  less: (a: number, b: number) => a < b,
  lessEqual: (a: number, b: number) => a <= b,
  greater: (a: number, b: number) => a > b,
  greaterEqual: (a: number, b: number) => a >= b,
  equal: (a: number, b: number) => a === b,
  notEqual: (a: number, b: number) => a !== b,
};

export type CompareReferenceOptions = { op: keyof typeof comparisons };

export const compareReference: Reference<CompareReferenceOptions> = {
  forward(inputs, { op }) {
    const [a, b] = [need(inputs, 'a'), need(inputs, 'b')];
    const shape = broadcastShapes(a.shape, b.shape);
    const [aIndices, bIndices] = [
      broadcastIndices(a.shape, shape),
      broadcastIndices(b.shape, shape),
    ];
    return {
      y: fillOutput(shape, (flat) => ({
        value: Number(comparisons[op](a.data[aIndices[flat]], b.data[bIndices[flat]])),
      })),
    };
  },
  backward: () => ({}),
};
