/** Shapes of batchNorm: x […, C]; gamma, beta, runningMean, runningVariance [C]; residual as x. */
import {
  errorCase,
  labelled,
  opCase,
  says,
  type ErrorCase,
  type InputSpec,
  type OpCase,
} from './types.js';

function inputsFor(x: number[], residual = false): Record<string, InputSpec> {
  const C = x[x.length - 1];
  return {
    x: { shape: x },
    gamma: { shape: [C], fill: 'awayFromZero', range: [0.3, 2] },
    beta: { shape: [C] },
    runningMean: { shape: [C] },
    runningVariance: { shape: [C], fill: 'positive', range: [0.3, 3] },
    ...(residual ? { residual: { shape: x } } : {}),
  };
}

/** Small gamma and residual and a large beta keep z away from the kink at zero. */
function activatedInputs(x: number[], residual = false): Record<string, InputSpec> {
  const C = x[x.length - 1];
  const inputs = inputsFor(x, residual);
  inputs.gamma = { shape: [C], fill: 'awayFromZero', range: [0.1, 0.2] };
  inputs.beta = { shape: [C], fill: 'awayFromZero', range: [2, 3] };
  if (residual) inputs.residual = { shape: x, fill: 'uniform', range: [-0.3, 0.3] };
  return inputs;
}

const shapes: [note: string, x: number[]][] = [
  ['images', [2, 4, 5, 3]],
  ['one channel', [3, 3, 3, 1]],
  ['channels of 4', [1, 6, 7, 8]],
  ['channels fill a tile', [2, 3, 3, 64]],
  ['one channel above a tile', [2, 2, 3, 65]],
  ['more pixels than a workgroup', [2, 17, 16, 4]],
  ['a matrix', [9, 5]],
  ['two values a channel', [2, 1, 1, 6]],
];

export const cases: OpCase[] = [
  ...shapes.map(([note, x]) => opCase(`training, ${note}`, inputsFor(x), { training: true })),
  ...shapes
    .slice(0, 5)
    .map(([note, x]) => opCase(`running, ${note}`, inputsFor(x), { training: false })),
  opCase(
    'far from zero',
    { ...inputsFor([3, 4, 4, 3]), x: { shape: [3, 4, 4, 3], range: [3, 7] } },
    {
      training: true,
    },
  ),
  opCase('momentum and epsilon', inputsFor([2, 3, 4, 5]), {
    training: true,
    momentum: 0.3,
    epsilon: 1e-3,
  }),
  opCase('residual', inputsFor([2, 3, 4, 5], true), { training: true }),
  opCase('residual, running', inputsFor([2, 3, 4, 5], true), { training: false }),
  opCase('relu', activatedInputs([2, 5, 4, 6]), { training: true, activation: 'relu' }),
  opCase('relu, running', activatedInputs([2, 5, 4, 6]), { training: false, activation: 'relu' }),
  opCase('relu, residual', activatedInputs([2, 4, 4, 8], true), {
    training: true,
    activation: 'relu',
  }),
  opCase('relu6, residual, running', activatedInputs([1, 4, 3, 4], true), {
    training: false,
    activation: 'relu6',
  }),
  opCase('tanh', activatedInputs([2, 3, 3, 4]), { training: true, activation: 'tanh' }),
  opCase('silu', inputsFor([2, 6, 7, 8]), { training: true, activation: 'silu' }),
  opCase('silu, channels not in fours', inputsFor([2, 3, 3, 5]), {
    training: true,
    activation: 'silu',
  }),
  opCase('silu, running', inputsFor([2, 6, 7, 4]), { training: false, activation: 'silu' }),
];

export const composedCases: OpCase[] = [
  opCase('silu, residual', inputsFor([2, 3, 3, 4], true), { training: true, activation: 'silu' }),
];

/** Square roots are never exact. */
export const exactCases: OpCase[] = [];

const x8 = [2, 4, 4, 8];

function refused(
  note: string,
  change: Record<string, InputSpec>,
  options: Record<string, unknown>,
  ...parts: string[]
): ErrorCase {
  return errorCase(note, { ...inputsFor(x8), ...change }, options, says('batchNorm', ...parts));
}

export const errorCases: ErrorCase[] = [
  refused('gamma of another length', { gamma: { shape: [4] } }, {}, 'gamma', '\\b4\\b', '\\b8\\b'),
  refused('running mean of another length', { runningMean: { shape: [4] } }, {}, 'runningMean'),
  refused(
    'residual of another shape',
    { residual: { shape: [2, 4, 4, 4] } },
    {},
    labelled('x', x8),
    labelled('residual', [2, 4, 4, 4]),
  ),
  refused('momentum above 1', {}, { training: true, momentum: 1.5 }, 'momentum', '1\\.5'),
  refused('epsilon 0', {}, { epsilon: 0 }, 'epsilon', '\\b0\\b'),
  refused(
    'one value a channel',
    { x: { shape: [1, 1, 1, 8] } },
    { training: true },
    '\\[.*1.*8\\]',
  ),
];
