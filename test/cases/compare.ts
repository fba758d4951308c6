/** Shapes of the comparisons. Zeros and ones are exact; integers tie often. */
import { errorCase, labelled, opCase, says, type ErrorCase, type OpCase } from './types.js';

const names = ['less', 'lessEqual', 'greater', 'greaterEqual', 'equal', 'notEqual'];

function compared(
  note: string,
  op: string,
  a: number[],
  b: number[],
  dtype: 'f32' | 'i32' | 'u32' = 'f32',
): OpCase {
  const range: [number, number] = dtype === 'u32' ? [0, 3] : [-3, 3];
  const spec = { fill: 'integers', dtype, range } as const;
  return opCase(
    `${op}, ${note}, ${dtype}`,
    { a: { shape: a, ...spec }, b: { shape: b, ...spec } },
    { op },
  );
}

export const cases: OpCase[] = [
  ...names.map((op) => compared('same shape', op, [3, 5, 7], [3, 5, 7])),
  ...names.map((op) => compared('both repeated', op, [4, 1, 3], [5, 1])),
  ...names.map((op) => compared('in vectors', op, [2, 3, 8], [8], 'i32')),
  compared('repeated on the left, in vectors', 'less', [8], [2, 3, 8]),
  compared('a scalar on the right', 'greater', [65], []),
  compared('labels', 'equal', [70], [70], 'i32'),
  compared('one number for each row, in vectors', 'notEqual', [5, 12], [5, 1], 'u32'),
];

export const exactCases: OpCase[] = cases;

function refused(
  note: string,
  b: { shape: number[]; dtype?: 'i32' },
  ...parts: string[]
): ErrorCase {
  const message = says('less', labelled('a', [2, 3]), labelled('b', b.shape), ...parts);
  return errorCase(note, { a: { shape: [2, 3] }, b }, { op: 'less' }, message);
}

export const errorCases: ErrorCase[] = [
  refused('shapes that do not broadcast', { shape: [4] }),
  refused('two types', { shape: [3], dtype: 'i32' }, 'f32 and i32'),
];
