/** Shapes of dense: x […, in], w [in, out], bias [out]. */
import {
  errorCase,
  labelled,
  opCase,
  says,
  withIntegers,
  type ErrorCase,
  type InputSpec,
  type OpCase,
} from './types.js';

function layer(note: string, x: number[], w: number[], bias = true): OpCase {
  const inputs: Record<string, InputSpec> = { x: { shape: x }, w: { shape: w } };
  if (bias) inputs.bias = { shape: [w[1]] };
  return opCase(note, inputs);
}

/** Small products and a large bias keep every sum away from the kink at zero. */
function activated(activation: string, [m, k, n] = [5, 9, 7], note = activation): OpCase {
  const inputs: Record<string, InputSpec> = {
    x: { shape: [m, k], fill: 'uniform', range: [-0.2, 0.2] },
    w: { shape: [k, n], fill: 'uniform', range: [-0.2, 0.2] },
    bias: { shape: [n], fill: 'awayFromZero', range: [1, 2] },
  };
  return opCase(note, inputs, { activation });
}

const plain: OpCase[] = [
  layer('one number', [1, 1], [1, 1]),
  layer('odd sizes', [3, 7], [7, 5]),
  layer('without bias', [4, 8], [8, 6], false),
  layer('batch 1', [1, 130], [130, 10]),
  layer('ten classes', [8, 64], [64, 10]),
  layer('tiles of 32', [32, 32], [32, 64]),
  layer('one around the tiles', [33, 31], [31, 65]),
  layer('one output', [17, 12], [12, 1]),
  opCase('a long inner axis', {
    x: { shape: [2, 1031], range: [-0.3, 0.3] },
    w: { shape: [1031, 9] },
  }),
  layer('leading axes', [2, 3, 4], [4, 5]),
  layer('a vector', [6], [6, 4]),
];

export const cases: OpCase[] = [
  ...plain,
  ...['relu', 'relu6', 'leakyRelu', 'elu', 'sigmoid', 'tanh'].map((name) => activated(name)),
  activated('elu', [5, 12, 8], 'elu, in vectors'),
  // The sum is split over K, and the epilogue follows in the second pass.
  activated('tanh', [3, 516, 8], 'tanh, a long sum'),
  activated('relu', [3, 516, 7], 'relu, a long sum, any width'),
];

export const composedCases: OpCase[] = ['gelu', 'silu', 'softplus'].map((name) => activated(name));

export const exactCases: OpCase[] = plain.map(withIntegers);

function refused(note: string, x: number[], w: number[], ...parts: string[]): ErrorCase {
  return errorCase(note, { x: { shape: x }, w: { shape: w } }, {}, says('dense', ...parts));
}

export const errorCases: ErrorCase[] = [
  refused(
    'features differ',
    [8, 100],
    [128, 10],
    labelled('x', [8, 100]),
    labelled('w', [128, 10]),
  ),
  refused('w is no matrix', [8, 4], [4], labelled('w', [4])),
  errorCase(
    'bias of another length',
    { x: { shape: [8, 4] }, w: { shape: [4, 10] }, bias: { shape: [9] } },
    {},
    says('dense', 'bias has 9', '\\b10\\b'),
  ),
];
