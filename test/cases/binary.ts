/** Shapes of the binary ops; the last group broadcasts as NumPy does. */
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

/** Operands on which the op is smooth: divisors away from zero, positive bases, no ties. */
const domains: Record<string, { a: Omit<InputSpec, 'shape'>; b: Omit<InputSpec, 'shape'> }> = {
  add: { a: {}, b: {} },
  sub: { a: {}, b: {} },
  mul: { a: {}, b: {} },
  div: { a: {}, b: { fill: 'awayFromZero', range: [0.3, 3] } },
  pow: { a: { fill: 'positive', range: [0.2, 4] }, b: { fill: 'uniform', range: [-2, 3] } },
  // whole numbers against numbers that keep away from them
  maximum: { a: { fill: 'integers' }, b: { kinks: [-3, -2, -1, 0, 1, 2, 3] } },
  minimum: { a: { fill: 'integers' }, b: { kinks: [-3, -2, -1, 0, 1, 2, 3] } },
};

function operands(note: string, op: string, a: number[], b: number[]): OpCase {
  const domain = domains[op];
  return opCase(
    `${op}, ${note}`,
    { a: { shape: a, ...domain.a }, b: { shape: b, ...domain.b } },
    { op },
  );
}

export const cases: OpCase[] = [
  ...Object.keys(domains).map((op) => operands('same shape', op, [3, 5, 7], [3, 5, 7])),
  ...Object.keys(domains).map((op) => operands('both repeated', op, [4, 1, 3], [5, 1])),
  operands('one element more than a workgroup', 'add', [65], [65]),
  operands('several workgroups', 'mul', [3, 257], [3, 257]),
  operands('a bias per channel', 'add', [2, 3, 4, 5], [5]),
  operands('a scale per image and channel', 'mul', [2, 3, 4, 5], [2, 1, 1, 5]),
  operands('a scale per image', 'mul', [6, 3, 2, 4], [6, 1, 1, 1]),
  operands('numbers of rows on the left', 'sub', [5, 1], [5, 8]),
  operands('a scale per image and channel, in vectors', 'mul', [3, 5, 7, 8], [3, 1, 1, 8]),
  operands('a left operand per image and channel', 'div', [3, 1, 12], [3, 25, 12]),
  operands('a scalar on the right', 'sub', [3, 4], []),
  operands('a scalar on the left', 'div', [], [3, 4]),
  operands('one element', 'mul', [1], [2, 9]),
  operands('two scalars', 'add', [], []),
  operands('a longer right operand', 'sub', [7], [3, 2, 7]),
  operands('a repeated middle axis', 'mul', [2, 1, 3], [2, 6, 3]),
  operands('a scalar exponent', 'pow', [3, 4], []),
];

export const exactCases: OpCase[] = [
  ...cases.filter(({ options }) => ['add', 'sub', 'mul'].includes(options.op as string)),
  // integers tie: each operand gets half of the gradient
  ...['maximum', 'minimum'].map((op) => operands('ties', op, [4, 1, 33], [5, 1])),
].map(withIntegers);

function refused(op: string, a: number[], b: number[]): ErrorCase {
  const inputs = { a: { shape: a }, b: { shape: b } };
  return errorCase(op, inputs, { op }, says(op, labelled('a', a), labelled('b', b)));
}

export const errorCases: ErrorCase[] = [
  refused('add', [2, 3], [4]),
  refused('sub', [2, 3], [3, 2]),
  refused('mul', [5, 4, 3], [2, 1, 3]),
  refused('maximum', [2], [3]),
];
