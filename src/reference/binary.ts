/**
 * Functions of two elements with NumPy broadcasting: y = f(a, b), da = dy · ∂f/∂a, db = dy · ∂f/∂b, each summed over
 * the axes along which that operand was repeated. Where maximum and minimum tie, each operand gets half.
 */
import { expMagnitude, logMagnitude } from './lib/accuracy.js';
import { Accumulator, fillOutput, need } from './lib/arrays.js';
import { broadcastIndices, broadcastShapes } from './lib/broadcast.js';
import type { Reference, RefInputs } from './types.js';

export type BinaryReferenceOptions = {
  op: 'add' | 'sub' | 'mul' | 'div' | 'pow' | 'maximum' | 'minimum';
};

interface BinaryFunction {
  value(a: number, b: number): number;
  slopes(a: number, b: number): [number, number];
  /** Magnitudes of the value and of the two slopes, where |result| alone is too little. */
  valueMagnitude?(a: number, b: number): number;
  slopeMagnitudes?(a: number, b: number): [number, number];
}

/**
 * Relative magnitude of pow: WGSL defines it through exp2(b · log2(a)); the absolute error of the exponent, that of
 * log2 times b and one rounding, becomes a relative error of the result.
 */
function powMagnitude(a: number, b: number): number {
  const exponent = Math.abs(b * Math.log2(a));
  return 1 + expMagnitude(exponent, 1) + exponent + Math.abs(b) * logMagnitude(a) * Math.LOG2E;
}

const functions: Readonly<Record<BinaryReferenceOptions['op'], BinaryFunction>> = {
  add: {
    value: (a, b) => a + b,
    slopes: () => [1, 1],
  },
  sub: {
    value: (a, b) => a - b,
    slopes: () => [1, -1],
  },
  mul: {
    value: (a, b) => a * b,
    slopes: (a, b) => [b, a],
  },
  div: {
    value: (a, b) => a / b,
    slopes: (a, b) => [1 / b, -a / (b * b)],
  },
  // for a > 0; ∂/∂b = a^b · ln a
  pow: {
    value: (a, b) => a ** b,
    slopes: (a, b) => [b * a ** (b - 1), a ** b * Math.log(a)],
    valueMagnitude: (a, b) => a ** b * powMagnitude(a, b),
    slopeMagnitudes: (a, b) => [
      Math.abs(b) * a ** (b - 1) * powMagnitude(a, b - 1),
      a ** b * (Math.abs(Math.log(a)) * powMagnitude(a, b) + logMagnitude(a)),
    ],
  },
  maximum: {
    value: Math.max,
    slopes: (a, b) => (a === b ? [0.5, 0.5] : a > b ? [1, 0] : [0, 1]),
  },
  minimum: {
    value: Math.min,
    slopes: (a, b) => (a === b ? [0.5, 0.5] : a < b ? [1, 0] : [0, 1]),
  },
};

function operands(inputs: RefInputs) {
  const a = need(inputs, 'a');
  const b = need(inputs, 'b');
  const shape = broadcastShapes(a.shape, b.shape);
  return {
    a,
    b,
    shape,
    aIndices: broadcastIndices(a.shape, shape),
    bIndices: broadcastIndices(b.shape, shape),
  };
}

export const binaryReference: Reference<BinaryReferenceOptions> = {
  forward(inputs, { op }) {
    const { a, b, shape, aIndices, bIndices } = operands(inputs);
    const f = functions[op];
    return {
      y: fillOutput(shape, (flat) => {
        const [aValue, bValue] = [a.data[aIndices[flat]], b.data[bIndices[flat]]];
        return { value: f.value(aValue, bValue), magnitude: f.valueMagnitude?.(aValue, bValue) };
      }),
    };
  },
  backward(inputs, { op }, dy) {
    const { a, b, aIndices, bIndices } = operands(inputs);
    const f = functions[op];
    const da = new Accumulator(a.shape);
    const db = new Accumulator(b.shape);
    dy.data.forEach((gradient, flat) => {
      const [aValue, bValue] = [a.data[aIndices[flat]], b.data[bIndices[flat]]];
      const [aSlope, bSlope] = f.slopes(aValue, bValue);
      const magnitudes = f.slopeMagnitudes?.(aValue, bValue) ?? [
        Math.abs(aSlope),
        Math.abs(bSlope),
      ];
      da.add(aIndices[flat], gradient * aSlope, Math.abs(gradient) * magnitudes[0]);
      db.add(bIndices[flat], gradient * bSlope, Math.abs(gradient) * magnitudes[1]);
    });
    return { a: da.finish(), b: db.finish() };
  },
};
