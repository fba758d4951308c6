/** Shapes of oneHot: i32 indices of any shape. Zeros and ones are exact in every case. */
import { errorCase, opCase, says, type ErrorCase, type OpCase } from './types.js';

/** The indices stay below `max`, the depth unless given. */
function encoded(note: string, shape: number[], depth: number, max = depth): OpCase {
  return opCase(note, { indices: { shape, dtype: 'i32', fill: 'labels', max } }, { depth });
}

export const cases: OpCase[] = [
  encoded('labels', [8], 10),
  encoded('one index', [1], 3),
  encoded('a scalar', [], 4, 3),
  encoded('a matrix', [3, 5], 7),
  encoded('depth 1', [4], 1),
  encoded('more depth than labels', [6], 65, 3),
  encoded('several workgroups', [130], 5),
];

export const exactCases: OpCase[] = cases;

export const errorCases: ErrorCase[] = [0, 2.5].map((depth) =>
  errorCase(
    'depth',
    { indices: { shape: [4], dtype: 'i32', max: 1 } },
    { depth },
    says('oneHot', 'depth', String(depth)),
  ),
);
