/** Shapes of transpose. */
import { errorCase, opCase, says, withIntegers, type ErrorCase, type OpCase } from './types.js';

function permuted(note: string, x: number[], permutation?: number[]): OpCase {
  return opCase(note, { x: { shape: x } }, permutation ? { permutation } : {});
}

export const cases: OpCase[] = [
  permuted('a matrix', [3, 5]),
  permuted('all axes reversed', [2, 3, 4]),
  permuted('NHWC to NCHW', [2, 4, 5, 3], [0, 3, 1, 2]),
  permuted('OIHW to HWIO', [6, 2, 3, 3], [2, 3, 1, 0]),
  permuted('nothing moves', [3, 4], [0, 1]),
  permuted('tiles of 16 and 32', [32, 16], [1, 0]),
  permuted('one around a tile', [33, 31], [1, 0]),
  permuted('three axes in a ring', [3, 4, 5], [1, 2, 0]),
  permuted('five axes', [2, 3, 1, 2, 3], [4, 0, 3, 1, 2]),
];

export const exactCases: OpCase[] = cases.map(withIntegers);

function refused(note: string, x: number[], permutation: number[]): ErrorCase {
  const list = (numbers: number[]) => `\\[${numbers.join(',? ?')}\\]`;
  return errorCase(
    note,
    { x: { shape: x } },
    { permutation },
    says('transpose', 'permutation', list(permutation), list(x)),
  );
}

export const errorCases: ErrorCase[] = [
  refused('an axis twice', [3, 4], [1, 1]),
  refused('an axis too many', [3, 4], [0, 1, 2]),
  refused('no such axis', [3, 4], [0, 2]),
];
