/** Shapes of gather: x, and i32 or u32 indices of any shape. */
import { errorCase, opCase, says, withIntegers, type ErrorCase, type OpCase } from './types.js';

/** More indices than the axis is long repeat some; fewer leave some out. */
function picked(
  note: string,
  x: number[],
  indices: number[],
  axis = 0,
  dtype: 'i32' | 'u32' = 'i32',
): OpCase {
  const max = x[axis < 0 ? axis + x.length : axis];
  return opCase(
    note,
    { x: { shape: x }, indices: { shape: indices, dtype, fill: 'labels', max } },
    { axis },
  );
}

export const cases: OpCase[] = [
  picked('rows of a table', [10, 4], [6]),
  picked('repeated rows', [3, 5], [11]),
  picked('a matrix of indices', [7, 3], [2, 4]),
  picked('columns', [4, 6], [5], 1),
  picked('last axis by its negative number', [2, 3, 5], [7], -1),
  picked('middle axis, a matrix of indices', [2, 4, 3], [3, 2], 1),
  picked('one index without an axis', [5, 3], []),
  picked('elements of a vector', [9], [65]),
  picked('indices without a sign', [6, 3], [9], 0, 'u32'),
];

export const exactCases: OpCase[] = cases.map(withIntegers);

export const errorCases: ErrorCase[] = [
  errorCase(
    'axis out of range',
    { x: { shape: [3, 4] }, indices: { shape: [2], dtype: 'i32', max: 3 } },
    { axis: 2 },
    says('gather', 'axis 2', '\\[3,? 4\\]'),
  ),
];
