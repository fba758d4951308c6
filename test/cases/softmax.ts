/** Shapes of softmax and logSoftmax. */
import { errorCase, opCase, says, type ErrorCase, type InputSpec, type OpCase } from './types.js';

const shapes: [note: string, x: InputSpec, options: Record<string, unknown>][] = [
  ['digits', { shape: [8, 10] }, {}],
  ['a vector', { shape: [7] }, {}],
  ['one class', { shape: [3, 1] }, {}],
  ['first axis', { shape: [5, 6] }, { axis: 0 }],
  ['middle axis', { shape: [2, 9, 4] }, { axis: 1 }],
  ['rows one below a tile', { shape: [3, 63] }, { axis: -1 }],
  ['rows one above a tile', { shape: [65, 5] }, {}],
  ['rows longer than a workgroup', { shape: [2, 259] }, {}],
  // exp of these overflows unless the largest is taken off first
  ['large values', { shape: [4, 9], fill: 'uniform', range: [100, 104] }, {}],
];

export const cases: OpCase[] = ['softmax', 'logSoftmax'].flatMap((op) =>
  shapes.map(([note, x, options]) => opCase(note, { x }, { op, ...options })),
);

/** Exponentials are never exact. */
export const exactCases: OpCase[] = [];

export const errorCases: ErrorCase[] = ['softmax', 'logSoftmax'].map((op) =>
  errorCase(
    'axis out of range',
    { x: { shape: [3, 4] } },
    { op, axis: 2 },
    says(op, 'axis 2', '\\[3,? 4\\]'),
  ),
);
