/** Shapes of binaryCrossEntropy: prediction (probabilities, or logits with fromLogits) and target alike. */
import { errorCase, labelled, opCase, says, type ErrorCase, type OpCase } from './types.js';

function probabilities(
  note: string,
  shape: number[],
  options: Record<string, unknown> = {},
): OpCase {
  return opCase(
    note,
    {
      prediction: { shape, fill: 'positive', range: [0.05, 0.95] },
      target: { shape, fill: 'positive', range: [0, 1] },
    },
    options,
  );
}

function logits(note: string, shape: number[], options: Record<string, unknown> = {}): OpCase {
  return opCase(
    `logits, ${note}`,
    { prediction: { shape }, target: { shape, fill: 'mask' } },
    { fromLogits: true, ...options },
  );
}

export const cases: OpCase[] = [
  probabilities('mean', [7, 3]),
  probabilities('sum', [5, 4], { reduction: 'sum' }),
  probabilities('none', [2, 3, 4], { reduction: 'none' }),
  probabilities('longer than a workgroup', [259]),
  logits('mean', [7, 3]),
  logits('sum', [5, 4], { reduction: 'sum' }),
  logits('none', [9], { reduction: 'none' }),
  logits('longer than a workgroup', [65, 5]),
  opCase(
    'logits far out',
    {
      prediction: { shape: [6, 5], fill: 'uniform', range: [-120, 120] },
      target: { shape: [6, 5], fill: 'mask' },
    },
    { fromLogits: true, reduction: 'none' },
  ),
];

/** Logarithms are never exact. */
export const exactCases: OpCase[] = [];

function refused(
  note: string,
  prediction: number[],
  target: number[],
  options: Record<string, unknown>,
  ...parts: string[]
): ErrorCase {
  const inputs = { prediction: { shape: prediction }, target: { shape: target } };
  return errorCase(note, inputs, options, says('binaryCrossEntropy', ...parts));
}

export const errorCases: ErrorCase[] = [
  refused(
    'shapes differ',
    [8, 1],
    [8],
    {},
    labelled('prediction', [8, 1]),
    labelled('target', [8]),
  ),
  refused('unknown reduction', [8], [8], { reduction: 'average' }, 'reduction', 'average'),
];
