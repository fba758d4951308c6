/** Shapes of where: condition u32, a and b, all broadcasting. */
import { errorCase, opCase, says, withIntegers, type ErrorCase, type OpCase } from './types.js';

function choice(
  note: string,
  condition: number[],
  a: number[],
  b: number[],
  dtype: 'u32' | 'f32' = 'u32',
): OpCase {
  return opCase(note, {
    condition: { shape: condition, dtype, fill: 'mask' },
    a: { shape: a },
    b: { shape: b },
  });
}

export const cases: OpCase[] = [
  choice('alike', [3, 5], [3, 5], [3, 5]),
  choice('a scalar for a', [4, 3], [], [4, 3]),
  choice('scalars for both', [2, 9], [], [1]),
  choice('condition per row', [4, 1], [4, 3], [3]),
  choice('condition per image', [2, 1, 1, 1], [2, 3, 4, 5], [5]),
  choice('all per row', [6, 1], [6, 1], [6, 8]),
  choice('condition per image and channel, in vectors', [3, 1, 8], [3, 5, 8], [8]),
  choice('one element more than a workgroup', [65], [65], [65]),
  choice('a condition of zeros and ones', [3, 5], [3, 5], [3, 5], 'f32'),
  choice('a condition of zeros and ones, in vectors', [3, 8], [3, 8], [8], 'f32'),
];

export const exactCases: OpCase[] = cases.map(withIntegers);

export const errorCases: ErrorCase[] = [
  errorCase(
    'shapes do not broadcast',
    {
      condition: { shape: [2, 3], dtype: 'u32', fill: 'mask' },
      a: { shape: [2, 3] },
      b: { shape: [4] },
    },
    {},
    says('where', '\\[2,? 3\\]', '\\[4\\]'),
  ),
];
