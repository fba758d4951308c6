/** Shapes of softmaxCrossEntropy: logits [N K], labels i32 [N] or probabilities [N K]. */
import {
  errorCase,
  labelled,
  opCase,
  says,
  type ErrorCase,
  type InputSpec,
  type OpCase,
} from './types.js';

/** Against class numbers. */
function numbered(
  note: string,
  N: number,
  K: number,
  options: Record<string, unknown> = {},
): OpCase {
  return opCase(
    note,
    { logits: { shape: [N, K] }, labels: { shape: [N], dtype: 'i32', fill: 'labels', max: K } },
    options,
  );
}

/** Against probabilities. */
function spread(note: string, N: number, K: number, options: Record<string, unknown> = {}): OpCase {
  return opCase(
    note,
    { logits: { shape: [N, K] }, labels: { shape: [N, K], fill: 'probabilities' } },
    options,
  );
}

/** The same with a weight for each class; a weight may be 0. */
function weighted({ title, inputs, options }: OpCase): OpCase {
  const shape = [inputs.logits.shape[1]];
  const classWeights: InputSpec = { shape, fill: 'positive', range: [0.25, 3] };
  return { title: `weighted, ${title}`, inputs: { ...inputs, classWeights }, options };
}

/** What class weights go with, for the naive kernels and for those of four classes at a time. */
const weightedCases: OpCase[] = [10, 8].flatMap((K) => [
  numbered('mean', 7, K),
  numbered('sum, smoothed', 5, K, { reduction: 'sum', labelSmoothing: 0.2 }),
  numbered('mean, smoothed', 6, K, { labelSmoothing: 0.1 }),
  numbered('none, smoothed', 4, K, { reduction: 'none', labelSmoothing: 0.3 }),
  numbered('ignoring a class', 9, K, { ignoreIndex: 1 }),
  spread('probabilities', 5, K),
  spread('probabilities, smoothed, none', 3, K, { labelSmoothing: 0.25, reduction: 'none' }),
]);

export const cases: OpCase[] = [
  numbered('digits', 8, 10),
  numbered('one example', 1, 3),
  numbered('one class', 3, 1),
  numbered('two classes, sum', 5, 2, { reduction: 'sum' }),
  numbered('none', 7, 5, { reduction: 'none' }),
  numbered('smoothed', 6, 10, { labelSmoothing: 0.1 }),
  numbered('smoothed, none', 3, 7, { labelSmoothing: 0.3, reduction: 'none' }),
  numbered('batch one above a tile', 65, 4),
  numbered('classes one below a tile', 3, 63),
  numbered('classes one above a tile', 3, 65, { reduction: 'sum' }),
  numbered('classes fill a tile', 4, 64),
  numbered('more classes than a workgroup', 2, 1001),
  // exp of these overflows unless the largest is taken off first
  opCase('large logits', {
    logits: { shape: [5, 9], fill: 'uniform', range: [100, 104] },
    labels: { shape: [5], dtype: 'i32', fill: 'labels', max: 9 },
  }),
  spread('probabilities', 6, 10),
  spread('probabilities, sum', 5, 33, { reduction: 'sum' }),
  spread('probabilities, none', 4, 7, { reduction: 'none' }),
  spread('probabilities, smoothed', 3, 6, { labelSmoothing: 0.2 }),
  // four classes at a time
  numbered('smoothed, in vectors', 6, 12, { labelSmoothing: 0.1 }),
  spread('probabilities, in vectors', 5, 8),
  spread('probabilities, smoothed, in vectors', 3, 8, { labelSmoothing: 0.2, reduction: 'none' }),
  numbered('ignoring a class', 12, 3, { ignoreIndex: 2 }),
  numbered('ignoring a class, smoothed, in vectors', 12, 4, {
    ignoreIndex: 0,
    labelSmoothing: 0.1,
  }),
  numbered('ignoring a class, none', 7, 5, { ignoreIndex: 3, reduction: 'none' }),
  numbered('ignoring what is no class', 4, 66, { ignoreIndex: -100, labelSmoothing: 0.2 }),
  ...weightedCases.map(weighted),
  weighted(numbered('more classes than a workgroup', 2, 66)),
];

/** Logarithms are never exact. */
export const exactCases: OpCase[] = [];

function refused(
  note: string,
  logits: number[],
  labels: number[],
  options: Record<string, unknown>,
  ...parts: string[]
): ErrorCase {
  const integers = labels.length === 1;
  return errorCase(
    note,
    { logits: { shape: logits }, labels: { shape: labels, dtype: integers ? 'i32' : 'f32' } },
    options,
    says('softmaxCrossEntropy', labelled('logits', logits), labelled('labels', labels), ...parts),
  );
}

export const errorCases: ErrorCase[] = [
  refused('a label per example is missing', [8, 10], [7], {}),
  refused('probabilities of other classes', [8, 10], [8, 9], {}),
  refused('logits are no matrix', [8, 2, 10], [8], {}),
  refused('smoothing above 1', [8, 10], [8], { labelSmoothing: 1.5 }, 'labelSmoothing', '1\\.5'),
  refused('half a class', [8, 10], [8], { ignoreIndex: 0.5 }, 'ignoreIndex', '0\\.5'),
  refused(
    'ignored probabilities',
    [8, 10],
    [8, 10],
    { ignoreIndex: 1 },
    'ignoreIndex',
    'class numbers',
  ),
  errorCase(
    'weights of other classes',
    {
      logits: { shape: [8, 10] },
      labels: { shape: [8], dtype: 'i32' },
      classWeights: { shape: [9] },
    },
    {},
    says('softmaxCrossEntropy', 'K=10', labelled('classWeights', [9])),
  ),
  refused('unknown reduction', [8, 10], [8], { reduction: 'average' }, 'reduction', 'average'),
];
