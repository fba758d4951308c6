/** Shapes of sum, mean, max, min, prod and variance. */
import { errorCase, opCase, says, type ErrorCase, type Fill, type OpCase } from './types.js';

type Options = { axis?: number | number[]; keepDims?: boolean; correction?: number };

const shapes: [note: string, x: number[], options: Options][] = [
  ['all axes', [3, 5, 7], {}],
  ['last axis', [4, 9], { axis: -1 }],
  ['first axis, kept', [5, 6], { axis: 0, keepDims: true }],
  ['middle axis', [3, 8, 4], { axis: 1 }],
  ['two outer axes', [3, 4, 5], { axis: [0, 2] }],
  ['rows longer than a workgroup', [2, 259], { axis: 1 }],
];

/** Sizes that matter to how a sum is split. */
const longSums: OpCase[] = [
  opCase('sum, several workgroups', { x: { shape: [65, 67] } }, { op: 'sum' }),
  opCase('sum, long columns', { x: { shape: [521, 3] } }, { op: 'sum', axis: 0 }),
  opCase('sum, all but channels', { x: { shape: [2, 7, 8, 5] } }, { op: 'sum', axis: [0, 1, 2] }),
  opCase('sum, a long array', { x: { shape: [64, 256] } }, { op: 'sum' }),
  opCase('sum, one element', { x: { shape: [1] } }, { op: 'sum' }),
  opCase('sum, everything kept', { x: { shape: [2, 3] } }, { op: 'sum', keepDims: true }),
];

function reductions(op: string, fill: Fill, which = shapes): OpCase[] {
  return which.map(([note, x, options]) =>
    opCase(`${op}, ${note}`, { x: { shape: x, fill } }, { op, ...options }),
  );
}

/** Factors near 1, so that long products stay in range; then zeros: none, one or several a product. */
const products: OpCase[] = [
  ...[...shapes, ...longProducts()].map(([note, shape, options]) =>
    opCase(
      `prod, ${note}`,
      { x: { shape, fill: 'awayFromZero', range: [0.8, 1.25] } },
      { op: 'prod', ...options },
    ),
  ),
  ...reductions('prod', 'mask', [
    ['zeros', [40, 3], { axis: 1 }],
    ['zeros in rows of vectors', [20, 4], { axis: 1 }],
    ['zeros in columns', [4, 20], { axis: 0 }],
    ['zeros in outer axes', [2, 9, 2], { axis: [0, 2] }],
  ]),
];

function longProducts(): typeof shapes {
  return [
    ['long columns', [521, 3], { axis: 0 }],
    ['vectors of columns', [9, 8], { axis: 0 }],
  ];
}

export const cases: OpCase[] = [
  ...reductions('sum', 'normal'),
  ...longSums,
  ...reductions('mean', 'normal', shapes.slice(0, 4)),
  ...reductions('max', 'distinct', shapes.slice(0, 5)),
  ...reductions('min', 'distinct', shapes.slice(1, 4)),
  ...products,
  ...reductions('variance', 'normal'),
  opCase(
    'variance, unbiased',
    { x: { shape: [4, 9] } },
    { op: 'variance', axis: 1, correction: 1 },
  ),
  opCase(
    'variance, far from zero',
    { x: { shape: [40, 3], range: [6, 14] } },
    {
      op: 'variance',
      axis: 0,
    },
  ),
];

/** Sums of integers, and extremes, whose ties share the gradient: by 2 or by 4, so the shares are exact too. */
export const exactCases: OpCase[] = [
  ...reductions('sum', 'integers'),
  ...longSums.map(({ title, options, inputs }) => ({
    title: `integers, ${title}`,
    options,
    inputs: { x: { shape: inputs.x.shape, fill: 'integers' as const } },
  })),
  ...['max', 'min'].map((op) =>
    opCase(`${op}, ties`, { x: { shape: [2, 9], fill: 'mask' } }, { op, axis: 0, keepDims: true }),
  ),
  ...['max', 'min'].map((op) =>
    opCase(
      `${op}, all equal`,
      { x: { shape: [3, 4], fill: 'integers', range: [2, 2] } },
      { op, axis: 1 },
    ),
  ),
];

function refused(
  note: string,
  x: number[],
  op: string,
  options: Options,
  ...parts: string[]
): ErrorCase {
  return errorCase(note, { x: { shape: x } }, { op, ...options }, says(op, ...parts));
}

export const errorCases: ErrorCase[] = [
  refused('axis out of range', [3, 4], 'sum', { axis: 2 }, 'axis 2', '\\[3,? 4\\]'),
  refused('negative axis out of range', [3, 4], 'mean', { axis: -3 }, 'axis -3', '\\[3,? 4\\]'),
  refused('axis named twice', [3, 4], 'max', { axis: [1, -1] }, 'axis'),
  refused('too few values', [3, 1], 'variance', { axis: 1, correction: 1 }, 'correction'),
];
