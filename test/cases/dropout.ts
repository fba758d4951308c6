/** Shapes of dropout. The mask is an input of the reference; the GPU draws its own, which its test reads back. */
import { errorCase, opCase, says, type ErrorCase, type OpCase } from './types.js';

function masked(note: string, shape: number[], options: Record<string, unknown>): OpCase {
  return opCase(note, { x: { shape }, mask: { shape, fill: 'mask' } }, options);
}

export const cases: OpCase[] = [
  masked('vector', [7], { rate: 0.5 }),
  masked('dense activations', [3, 65], { rate: 0.4 }),
  masked('images', [2, 5, 3, 4], { rate: 0.25 }),
  masked('one block', [4], { rate: 0.1 }),
  masked('nothing dropped', [2, 5], { rate: 0 }),
  masked('not training', [2, 9], { rate: 0.5, training: false }),
];

/** Factors 1/(1 − rate) of 1, 2 and 4 are exact. */
export const exactCases: OpCase[] = [0, 0.5, 0.75].map((rate) =>
  opCase(
    'integers',
    { x: { shape: [3, 33], fill: 'integers' }, mask: { shape: [3, 33], fill: 'mask' } },
    { rate },
  ),
);

export const errorCases: ErrorCase[] = [1, -0.1, 1.5].map((rate) =>
  errorCase('rate', { x: { shape: [4] } }, { rate }, says('dropout', 'rate', String(rate))),
);
