/** Shapes of slice. */
import { errorCase, opCase, says, withIntegers, type ErrorCase, type OpCase } from './types.js';

function box(note: string, x: number[], begin: number[], size: number[]): OpCase {
  return opCase(note, { x: { shape: x } }, { begin, size });
}

export const cases: OpCase[] = [
  box('a vector', [9], [2], [5]),
  box('all of it', [3, 4], [0, 0], [3, 4]),
  box('one column', [5, 7], [0, 3], [5, 1]),
  box('one row', [5, 7], [4, 0], [1, 7]),
  box('one image', [3, 4, 5, 2], [1, 0, 0, 0], [1, 4, 5, 2]),
  box('a crop', [2, 6, 7, 3], [0, 1, 2, 0], [2, 4, 4, 3]),
  box('channels', [2, 3, 3, 8], [0, 0, 0, 4], [2, 3, 3, 4]),
  box('several workgroups', [3, 130], [1, 1], [2, 129]),
];

export const exactCases: OpCase[] = cases.map(withIntegers);

function refused(
  note: string,
  x: number[],
  begin: number[],
  size: number[],
  ...parts: string[]
): ErrorCase {
  return errorCase(note, { x: { shape: x } }, { begin, size }, says('slice', ...parts));
}

export const errorCases: ErrorCase[] = [
  refused('reaches beyond the end', [3, 4], [0, 2], [3, 3], '\\[3,? 4\\]', 'begin', 'size'),
  refused('begins before the start', [3, 4], [-1, 0], [1, 4], 'begin', '-1'),
  refused('an axis is missing', [3, 4], [0], [3], '\\[3,? 4\\]'),
  refused('empty', [3, 4], [0, 0], [0, 4], 'size', '\\b0\\b'),
];
