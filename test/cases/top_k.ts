/** Shapes of topK. Indices are exact; ties, which integers are full of, go to the first. */
import {
  errorCase,
  labelled,
  opCase,
  says,
  type ErrorCase,
  type Fill,
  type OpCase,
} from './types.js';

const shapes: [note: string, x: number[], options: { k: number; axis?: number }][] = [
  ['last axis', [5, 10], { k: 5 }],
  ['the largest alone', [5, 7], { k: 1 }],
  ['a whole row, sorted', [3, 17], { k: 17 }],
  ['first axis', [7, 3], { k: 2, axis: 0 }],
  ['middle axis', [2, 9, 4], { k: 3, axis: 1 }],
  ['a vector', [65], { k: 4 }],
  ['one element', [1], { k: 1 }],
  ['one row above a workgroup', [65, 6], { k: 2, axis: -1 }],
];

function searches(note: (shape: string) => string, fill: Fill): OpCase[] {
  return shapes.map(([shape, x, options]) =>
    opCase(note(shape), { x: { shape: x, fill } }, options),
  );
}

export const cases: OpCase[] = searches((shape) => shape, 'distinct');

export const exactCases: OpCase[] = [
  ...searches((shape) => `${shape}, ties go to the first`, 'integers'),
  opCase('all below zero', { x: { shape: [4, 6], range: [-9, -5], fill: 'integers' } }, { k: 3 }),
];

function refused(note: string, x: number[], options: object, ...parts: string[]): ErrorCase {
  return errorCase(
    note,
    { x: { shape: x } },
    { ...options },
    says('topK', ...parts, labelled('x', x)),
  );
}

export const errorCases: ErrorCase[] = [
  refused('no elements', [0, 3], { k: 1 }),
  refused('no axis', [], { k: 1 }, 'axis'),
  refused('k of 0', [2, 3], { k: 0 }, 'from 1 to 3', 'got 0'),
  refused('k above the length', [2, 3], { k: 3, axis: 0 }, 'from 1 to 2', 'got 3'),
  refused('half a k', [2, 3], { k: 1.5 }, 'integer', 'got 1.5'),
  errorCase('no k', { x: { shape: [2, 3] } }, {}, says('topK', 'k must', 'undefined')),
  errorCase(
    'axis out of range',
    { x: { shape: [3, 4] } },
    { k: 1, axis: 2 },
    says('topK', 'axis 2', '\\[3,? 4\\]'),
  ),
  errorCase(
    'integers',
    { x: { shape: [3], dtype: 'i32' } },
    { k: 1 },
    says('topK', 'x must be of type f32', 'i32'),
  ),
];
