/** Shapes of argmax and argmin (op). Indices are exact; ties, which integers are full of, go to the first. */
import { errorCase, opCase, says, type ErrorCase, type Fill, type OpCase } from './types.js';

const shapes: [note: string, x: number[], options: Record<string, unknown>][] = [
  ['last axis', [5, 10], { axis: -1 }],
  ['first axis', [7, 3], { axis: 0 }],
  ['middle axis, kept', [2, 9, 4], { axis: 1, keepDims: true }],
  ['flattened', [3, 5, 2], {}],
  ['flattened, kept', [3, 5], { keepDims: true }],
  ['one class', [4, 1], { axis: 1 }],
  ['rows longer than a workgroup', [3, 259], { axis: 1 }],
  ['one row above a tile', [65, 6], { axis: 1 }],
];

function searches(note: (shape: string) => string, fill: Fill): OpCase[] {
  return shapes.flatMap(([shape, x, options]) => [
    opCase(note(shape), { x: { shape: x, fill } }, options),
    opCase(`argmin, ${note(shape)}`, { x: { shape: x, fill } }, { op: 'argmin', ...options }),
  ]);
}

export const cases: OpCase[] = searches((shape) => shape, 'distinct');

export const exactCases: OpCase[] = [
  ...searches((shape) => `${shape}, ties go to the first`, 'integers'),
  opCase('all below zero', { x: { shape: [4, 6], fill: 'uniform', range: [-9, -5] } }, { axis: 1 }),
];

export const errorCases: ErrorCase[] = [
  errorCase(
    'axis out of range',
    { x: { shape: [3, 4] } },
    { axis: 2 },
    says('argmax', 'axis 2', '\\[3,? 4\\]'),
  ),
];
