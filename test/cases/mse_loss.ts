/** Shapes of mseLoss: prediction and target alike. */
import {
  errorCase,
  labelled,
  opCase,
  says,
  withIntegers,
  type ErrorCase,
  type OpCase,
} from './types.js';

function loss(note: string, shape: number[], options: Record<string, unknown> = {}): OpCase {
  return opCase(note, { prediction: { shape }, target: { shape } }, options);
}

const sums: OpCase[] = [
  loss('sum', [4, 5], { reduction: 'sum' }),
  loss('none', [3, 7], { reduction: 'none' }),
];

export const cases: OpCase[] = [
  ...sums,
  loss('mean', [8, 3]),
  loss('one number', [1]),
  loss('images', [2, 5, 3, 4]),
  loss('several workgroups', [65, 19], { reduction: 'mean' }),
];

/** Squares of differences of integers; the mean of 32 of them divides exactly. */
export const exactCases: OpCase[] = [
  ...sums,
  loss('sum, longer than a workgroup', [5, 61], { reduction: 'sum' }),
  loss('mean of 32', [4, 8]),
].map(withIntegers);

function refused(
  note: string,
  prediction: number[],
  target: number[],
  options: Record<string, unknown>,
  ...parts: string[]
): ErrorCase {
  const inputs = { prediction: { shape: prediction }, target: { shape: target } };
  return errorCase(note, inputs, options, says('mseLoss', ...parts));
}

export const errorCases: ErrorCase[] = [
  refused(
    'shapes differ',
    [8, 3],
    [8],
    {},
    labelled('prediction', [8, 3]),
    labelled('target', [8]),
  ),
  refused('unknown reduction', [8], [8], { reduction: 'average' }, 'reduction', 'average'),
];
