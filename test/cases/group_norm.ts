/** Shapes of groupNorm and instanceNorm, x [N … C], and of layerNorm. */
import { errorCase, labelled, opCase, says, type ErrorCase, type OpCase } from './types.js';

type Options = Record<string, unknown>;

function normalized(note: string, x: number[], factors: number[], options: Options): OpCase {
  const inputs = {
    x: { shape: x },
    gamma: { shape: factors, fill: 'awayFromZero' as const },
    beta: { shape: factors },
  };
  return opCase(`${String(options.op)}, ${note}`, inputs, options);
}

/** Without gamma and beta. */
function plain(note: string, x: number[], options: Options): OpCase {
  return opCase(`${String(options.op)}, ${note}`, { x: { shape: x } }, options);
}

export const cases: OpCase[] = [
  normalized('two groups', [2, 3, 5, 6], [6], { op: 'groupNorm', groups: 2 }),
  normalized('in vectors', [2, 4, 3, 16], [16], { op: 'groupNorm', groups: 4 }),
  normalized('one group', [3, 5, 2, 7], [7], { op: 'groupNorm', groups: 1 }),
  normalized('a group for each channel', [2, 3, 3, 4], [4], { op: 'groupNorm', groups: 4 }),
  normalized('rows without pixels', [5, 12], [12], { op: 'groupNorm', groups: 3 }),
  normalized('epsilon', [1, 4, 4, 6], [6], { op: 'groupNorm', groups: 3, epsilon: 0.1 }),
  normalized('more values than a workgroup', [2, 9, 11, 10], [10], { op: 'groupNorm', groups: 5 }),
  plain('without factors', [2, 3, 4, 8], { op: 'groupNorm', groups: 2 }),
  normalized('odd sizes', [2, 5, 3, 5], [5], { op: 'instanceNorm' }),
  plain('without factors', [2, 4, 4, 8], { op: 'instanceNorm' }),
  normalized('last axis', [6, 10], [10], { op: 'layerNorm' }),
  normalized('last axis, in vectors', [3, 5, 32], [32], { op: 'layerNorm' }),
  normalized('two axes', [4, 3, 7], [3, 7], { op: 'layerNorm', axis: 1 }),
  normalized('everything', [3, 4], [3, 4], { op: 'layerNorm', axis: -2 }),
  normalized('longer than a workgroup', [3, 301], [301], { op: 'layerNorm' }),
  plain('without factors', [5, 9], { op: 'layerNorm', epsilon: 1e-3 }),
];

/** Square roots are never exact. */
export const exactCases: OpCase[] = [];

function refused(note: string, x: number[], options: Options, ...parts: string[]): ErrorCase {
  const message = says(String(options.op), labelled('x', x), ...parts);
  return errorCase(note, { x: { shape: x } }, options, message);
}

export const errorCases: ErrorCase[] = [
  refused(
    'groups that do not divide',
    [2, 3, 3, 6],
    { op: 'groupNorm', groups: 4 },
    'C=6',
    '\\b4\\b',
  ),
  refused('no groups', [2, 3, 3, 6], { op: 'groupNorm' }, 'groups', 'undefined'),
  refused('a vector', [6], { op: 'instanceNorm' }, '2 dimensions'),
  refused('epsilon 0', [2, 6], { op: 'layerNorm', epsilon: 0 }, 'epsilon', '\\b0\\b'),
  errorCase(
    'an axis that does not exist',
    { x: { shape: [2, 6] } },
    { op: 'layerNorm', axis: 2 },
    says('layerNorm', 'axis 2', '\\[2,? 6\\]'),
  ),
  errorCase(
    'factors of another shape',
    { x: { shape: [2, 3, 6] }, gamma: { shape: [3] } },
    { op: 'layerNorm' },
    says('layerNorm', labelled('gamma', [3]), labelled('x', [2, 3, 6]), '\\[6\\]'),
  ),
];
