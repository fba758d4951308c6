/** Shapes of reshape, which flatten, squeeze and expandDims are forms of. */
import { errorCase, opCase, says, withIntegers, type ErrorCase, type OpCase } from './types.js';

function reshaped(note: string, x: number[], shape: number[]): OpCase {
  return opCase(note, { x: { shape: x } }, { shape });
}

export const cases: OpCase[] = [
  reshaped('flattens images', [2, 3, 4, 5], [2, 60]),
  reshaped('works one length out', [4, 6], [3, -1]),
  reshaped('to a vector', [3, 5], [-1]),
  reshaped('to a scalar', [1, 1], []),
  reshaped('from a scalar', [], [1, 1]),
  reshaped('squeezes', [2, 1, 3], [2, 3]),
  reshaped('adds an axis', [5], [1, 5]),
];

export const exactCases: OpCase[] = cases.map(withIntegers);

function refused(note: string, x: number[], shape: number[], ...parts: string[]): ErrorCase {
  return errorCase(note, { x: { shape: x } }, { shape }, says('reshape', ...parts));
}

export const errorCases: ErrorCase[] = [
  refused('another number of elements', [2, 3], [4, 2], '\\[2,? 3\\]', '\\[4,? 2\\]'),
  refused('does not divide', [2, 3], [4, -1], '\\[2,? 3\\]', '\\[4,? -1\\]'),
  refused('two unknown lengths', [2, 3], [-1, -1], '\\[-1,? -1\\]'),
];
