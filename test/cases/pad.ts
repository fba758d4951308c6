/** Shapes of pad. Values are copied, so the exact test covers every case as well. */
import { errorCase, opCase, says, withIntegers, type ErrorCase, type OpCase } from './types.js';

function padded(note: string, shape: number[], padding: number[][], value?: number): OpCase {
  return opCase(note, { x: { shape } }, { padding, ...(value === undefined ? {} : { value }) });
}

const none = [0, 0];

export const cases: OpCase[] = [
  padded('images', [2, 4, 5, 3], [none, [1, 1], [1, 1], none]),
  padded('asymmetric', [1, 5, 4, 4], [none, [0, 2], [3, 0], none]),
  padded('channels and batch', [2, 3, 3, 2], [[1, 0], none, none, [0, 2]]),
  padded(
    'value',
    [3, 4],
    [
      [1, 2],
      [0, 1],
    ],
    -1.5,
  ),
  padded('a vector', [5], [[2, 3]]),
  padded('nothing', [3, 2], [none, none]),
  padded('several workgroups', [2, 9, 9, 5], [none, [3, 3], [3, 3], none]),
];

export const exactCases: OpCase[] = cases.map(withIntegers);

function refused(note: string, x: number[], padding: number[][], ...parts: string[]): ErrorCase {
  return errorCase(note, { x: { shape: x } }, { padding }, says('pad', ...parts));
}

export const errorCases: ErrorCase[] = [
  refused('an axis without padding', [3, 4], [[1, 1]], '\\b2\\b', '\\b1\\b', '\\[3,? 4\\]'),
  refused('negative padding', [3, 4], [none, [0, -1]], 'padding', '-1'),
];
