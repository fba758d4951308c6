/** Shapes of globalMaxPool2d and globalAvgPool2d: x [N H W C] → [N C]. */
import { errorCase, labelled, opCase, says, type ErrorCase, type OpCase } from './types.js';

const shapes: [note: string, x: number[]][] = [
  ['odd sizes', [2, 5, 7, 3]],
  ['one pixel', [3, 1, 1, 5]],
  ['one channel', [1, 4, 4, 1]],
  ['channels of 4', [2, 7, 7, 16]],
  ['channels one above a tile', [1, 3, 3, 65]],
  ['more pixels than a workgroup', [1, 17, 16, 2]],
];

export const cases: OpCase[] = [
  ...shapes.map(([note, x]) =>
    opCase(`max, ${note}`, { x: { shape: x, fill: 'distinct' } }, { kind: 'max' }),
  ),
  ...shapes.map(([note, x]) => opCase(`avg, ${note}`, { x: { shape: x } }, { kind: 'avg' })),
];

/** Maxima of integers tie; the mean of a power of two of integers is exact. */
export const exactCases: OpCase[] = [
  ...shapes.map(([note, x]) =>
    opCase(`max, ${note}`, { x: { shape: x, fill: 'integers' } }, { kind: 'max' }),
  ),
  ...[
    [1, 4, 4, 1],
    [2, 2, 4, 5],
  ].map((x) => opCase('avg', { x: { shape: x, fill: 'integers' } }, { kind: 'avg' })),
];

export const errorCases: ErrorCase[] = [
  errorCase(
    'no batch of images',
    { x: { shape: [5, 7, 3] } },
    { kind: 'avg' },
    says('globalAvgPool2d', labelled('x', [5, 7, 3])),
  ),
  errorCase(
    'no batch of images',
    { x: { shape: [5, 7] } },
    { kind: 'max' },
    says('globalMaxPool2d', labelled('x', [5, 7])),
  ),
];
