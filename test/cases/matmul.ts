/** Shapes of matmul: a […, M, K], b […, K, N], leading axes broadcast. */
import {
  errorCase,
  labelled,
  opCase,
  says,
  withIntegers,
  type ErrorCase,
  type OpCase,
} from './types.js';

function product(
  note: string,
  a: number[],
  b: number[],
  options: Record<string, unknown> = {},
): OpCase {
  return opCase(note, { a: { shape: a }, b: { shape: b } }, options);
}

export const cases: OpCase[] = [
  product('one number', [1, 1], [1, 1]),
  product('odd sizes', [5, 7], [7, 3]),
  product('tile of 8', [8, 8], [8, 8]),
  product('one above a tile of 8', [9, 9], [9, 9]),
  product('tiles of 16', [16, 32], [32, 16]),
  product('one below and above 16', [15, 17], [17, 17]),
  product('one around 32', [33, 31], [31, 33]),
  product('tiles of 64', [64, 64], [64, 64]),
  product('one around 64', [65, 63], [63, 65]),
  product('K not a multiple of 4', [12, 10], [10, 8]),
  product('one row', [1, 129], [129, 65]),
  product('one column', [67, 33], [33, 1]),
  product('outer product', [19, 1], [1, 37]),
  product('long inner axis', [3, 2049], [2049, 5]),
  product('long inner axis, columns of 4', [5, 2052], [2052, 8]),
  product('many tiles of 128', [260, 12], [12, 388]),
  product('a transposed', [7, 18], [7, 20], { transposeA: true }),
  product('b transposed', [18, 7], [20, 7], { transposeB: true }),
  product('both transposed', [33, 17], [34, 33], { transposeA: true, transposeB: true }),
  product('a transposed, tiles of 32', [32, 32], [32, 64], { transposeA: true }),
  product('b transposed, tiles of 32', [64, 32], [32, 32], { transposeB: true }),
  product('batched', [3, 5, 6], [3, 6, 7]),
  product('batched, one matrix for all', [3, 9, 4], [4, 5]),
  product('batched, one left matrix', [9, 4], [2, 4, 5]),
  product('both batches broadcast', [3, 1, 4, 5], [2, 5, 6]),
  product('batches that broadcast in turns', [2, 1, 2, 1, 3, 5], [1, 3, 1, 2, 5, 4]),
  product('batched a transposed, one matrix for all', [3, 6, 5], [6, 4], { transposeA: true }),
  product('batched, one transposed matrix for all', [3, 5, 8], [4, 8], { transposeB: true }),
  product('batched, transposed', [2, 1, 5, 4], [1, 3, 6, 5], {
    transposeA: true,
    transposeB: true,
  }),
];

export const exactCases: OpCase[] = cases.map(withIntegers);

function refused(
  note: string,
  a: number[],
  b: number[],
  options: Record<string, unknown>,
  ...parts: string[]
): ErrorCase {
  const inputs = { a: { shape: a }, b: { shape: b } };
  return errorCase(
    note,
    inputs,
    options,
    says('matmul', labelled('a', a), labelled('b', b), ...parts),
  );
}

export const errorCases: ErrorCase[] = [
  refused('inner axes differ', [4, 5], [6, 7], {}, '\\b5\\b', '\\b6\\b'),
  refused('inner axes differ once transposed', [4, 5], [4, 6], { transposeB: true }, 'transposeB'),
  refused('a vector', [4], [4, 6], {}),
  refused('an empty axis', [0, 5], [5, 6], {}, '\\b0\\b'),
  refused('too many turns', [2, 1, 2, 1, 2, 3, 4], [1, 2, 1, 2, 1, 4, 5], {}, '3 times'),
  refused('batches do not broadcast', [2, 4, 5], [3, 5, 6], {}, '\\b2\\b', '\\b3\\b'),
];
