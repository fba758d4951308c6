/** Shapes of takeAlongAxis: x, and i32 or u32 indices of its shape but along the axis. */
import {
  errorCase,
  labelled,
  opCase,
  says,
  withIntegers,
  type ErrorCase,
  type OpCase,
} from './types.js';

/** More indices than the axis is long repeat some; fewer leave some out. */
function taken(
  note: string,
  x: number[],
  picks: number,
  axis?: number,
  dtype: 'i32' | 'u32' = 'i32',
): OpCase {
  const at = (axis ?? -1) < 0 ? x.length + (axis ?? -1) : axis!;
  const shape = x.with(at, picks);
  return opCase(
    note,
    { x: { shape: x }, indices: { shape, dtype, fill: 'labels', max: x[at] } },
    axis === undefined ? {} : { axis },
  );
}

export const cases: OpCase[] = [
  taken('last axis', [4, 7], 3),
  taken('as many as there are', [3, 5], 5, 1),
  taken('repeated elements', [3, 4], 11),
  taken('first axis', [6, 5], 2, 0),
  taken('middle axis by its negative number', [2, 5, 3], 4, -2),
  taken('a vector', [9], 65),
  taken('one element', [1], 1),
  taken('indices without a sign', [5, 6], 4, 1, 'u32'),
];

export const exactCases: OpCase[] = cases.map(withIntegers);

function refused(
  note: string,
  x: number[],
  indices: number[],
  options: Record<string, unknown>,
  ...parts: string[]
): ErrorCase {
  const inputs = { x: { shape: x }, indices: { shape: indices, dtype: 'i32' as const, max: 1 } };
  return errorCase(note, inputs, options, says('takeAlongAxis', ...parts));
}

export const errorCases: ErrorCase[] = [
  refused('axis out of range', [3, 4], [3, 4], { axis: 2 }, 'axis 2', '\\[3,? 4\\]'),
  refused('no axis', [], [], {}, 'axis'),
  refused('too few axes', [3, 4], [3], {}, labelled('x', [3, 4]), labelled('indices', [3])),
  refused('another length beside the axis', [3, 4], [2, 4], {}, labelled('indices', [2, 4])),
  errorCase(
    'indices of f32',
    { x: { shape: [3] }, indices: { shape: [3] } },
    {},
    says('takeAlongAxis', 'indices must be of type', 'f32'),
  ),
];
