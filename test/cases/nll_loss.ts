/** Shapes of nllLoss: logProbabilities [N K], labels i32 [N]. */
import {
  errorCase,
  labelled,
  opCase,
  says,
  withIntegers,
  type ErrorCase,
  type OpCase,
} from './types.js';

function loss(note: string, N: number, K: number, options: Record<string, unknown> = {}): OpCase {
  return opCase(
    note,
    {
      logProbabilities: { shape: [N, K], fill: 'uniform', range: [-6, -0.1] },
      labels: { shape: [N], dtype: 'i32', fill: 'labels', max: K },
    },
    options,
  );
}

/** With a weight for each class. */
function weighted(note: string, N: number, K: number, options: Record<string, unknown>): OpCase {
  const { title, inputs } = loss(`weighted, ${note}`, N, K, options);
  return { title, inputs: { ...inputs, classWeights: { shape: [K], fill: 'positive' } }, options };
}

const sums: OpCase[] = [
  loss('sum', 5, 3, { reduction: 'sum' }),
  loss('none', 9, 4, { reduction: 'none' }),
  loss('mean of 8', 8, 10),
  loss('longer than a workgroup', 259, 3, { reduction: 'sum' }),
  loss('ignoring a class, sum', 9, 4, { reduction: 'sum', ignoreIndex: 2 }),
  weighted('sum', 7, 3, { reduction: 'sum' }),
  weighted('none, ignoring a class', 7, 3, { reduction: 'none', ignoreIndex: 0 }),
];

export const cases: OpCase[] = [
  ...sums,
  loss('one example', 1, 4),
  loss('ignoring a class', 9, 4, { ignoreIndex: 1 }),
  loss('ignoring what is no class', 9, 4, { ignoreIndex: -100 }),
  weighted('mean', 7, 5, {}),
  weighted('mean, ignoring a class', 70, 5, { ignoreIndex: 3 }),
  loss('one class', 3, 1),
  loss('batch one above a tile', 65, 5, { reduction: 'mean' }),
];

export const exactCases: OpCase[] = sums.map(withIntegers);

function refused(
  note: string,
  logProbabilities: number[],
  labels: number[],
  options: Record<string, unknown>,
  ...parts: string[]
): ErrorCase {
  const inputs = {
    logProbabilities: { shape: logProbabilities },
    labels: { shape: labels, dtype: 'i32' as const, max: 3 },
  };
  return errorCase(note, inputs, options, says('nllLoss', ...parts));
}

export const errorCases: ErrorCase[] = [
  refused(
    'a label per example is missing',
    [8, 10],
    [7],
    {},
    labelled('logProbabilities', [8, 10]),
    labelled('labels', [7]),
  ),
  errorCase(
    'weights of other classes',
    {
      logProbabilities: { shape: [8, 10] },
      labels: { shape: [8], dtype: 'i32' },
      classWeights: { shape: [1] },
    },
    {},
    says('nllLoss', 'K=10', labelled('classWeights', [1])),
  ),
  refused('no matrix', [8], [8], {}, labelled('logProbabilities', [8])),
  refused('unknown reduction', [8, 10], [8], { reduction: 'average' }, 'reduction', 'average'),
];
