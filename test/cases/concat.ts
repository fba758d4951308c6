/** Shapes of concat: inputs x0, x1, … alike but for the axis that is joined. */
import {
  errorCase,
  opCase,
  says,
  withIntegers,
  type ErrorCase,
  type InputSpec,
  type OpCase,
} from './types.js';

function inputsOf(shapes: number[][]): Record<string, InputSpec> {
  return Object.fromEntries(shapes.map((shape, i) => [`x${i}`, { shape }]));
}

function joined(note: string, axis: number, ...shapes: number[][]): OpCase {
  return opCase(note, inputsOf(shapes), { axis });
}

export const cases: OpCase[] = [
  joined('channels', 3, [2, 3, 4, 5], [2, 3, 4, 3]),
  joined('last axis by its negative number', -1, [3, 4], [3, 1], [3, 6]),
  joined('batches', 0, [2, 3], [1, 3]),
  joined('a middle axis', 1, [2, 1, 3], [2, 4, 3]),
  joined('vectors', 0, [3], [65]),
  joined('one input', 0, [4, 2]),
  joined('five inputs', 1, [2, 1], [2, 2], [2, 3], [2, 4], [2, 5]),
];

export const exactCases: OpCase[] = cases.map(withIntegers);

function refused(note: string, axis: number, shapes: number[][], ...parts: string[]): ErrorCase {
  return errorCase(note, inputsOf(shapes), { axis }, says('concat', ...parts));
}

export const errorCases: ErrorCase[] = [
  refused(
    'another axis differs',
    1,
    [
      [2, 3],
      [4, 3],
    ],
    '\\[2,? 3\\]',
    '\\[4,? 3\\]',
  ),
  refused('ranks differ', 0, [[2, 3], [3]], '\\[2,? 3\\]', '\\[3\\]'),
  refused(
    'axis out of range',
    2,
    [
      [2, 3],
      [2, 3],
    ],
    'axis 2',
  ),
];
