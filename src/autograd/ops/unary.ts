import { sizeOf } from '../../gpu/array.js';
import {
  unaryBackward,
  unaryForward,
  unaryVariants,
  type UnaryFunction,
} from '../../kernels/unary.js';
import type { InputMetas, OpRecord, Plan } from '../record.js';
import { finiteAlpha, resolveClip, resolveGelu, type UnaryOptions } from '../unary_parameters.js';

export type { UnaryOptions } from '../unary_parameters.js';
import { expectElements } from '../operands.js';

export interface UnaryPlan extends Plan {
  f: UnaryFunction;
}

type UnaryRecord = OpRecord<UnaryOptions, UnaryPlan>;

interface Entry {
  /** What backward tells the slope from: the smaller formula, or the value others keep anyway. */
  from: 'x' | 'y';
  derivative: string;
  source?: string;
  /** The function with its checked parameters; just its name where it has none. */
  resolve?: (options: UnaryOptions) => UnaryFunction;
}

const TEXTBOOK = 'elementary calculus';
const CLEVERT = 'Clevert, Unterthiner & Hochreiter, ELU, arXiv:1511.07289, equation 15';
const HENDRYCKS = 'Hendrycks & Gimpel, GELU, arXiv:1606.08415, section 2';

const entries = {
  relu: { from: 'y', derivative: 'dx = dy where y > 0, else 0' },
  relu6: { from: 'y', derivative: 'dx = dy where 0 < y < 6, else 0' },
  leakyRelu: {
    from: 'x',
    derivative: 'dx = dy where x > 0, else alpha · dy',
    source: 'Maas, Hannun & Ng, Rectifier nonlinearities, ICML 2013 workshop, section 2',
    resolve: ({ alpha = 0.01 }) => ({ code: 'leakyRelu', alpha: finiteAlpha('leakyRelu', alpha) }),
  },
  elu: {
    from: 'x',
    derivative: 'dx = dy where x > 0, else alpha · exp(x) · dy',
    source: CLEVERT,
    resolve: ({ alpha = 1 }) => ({ code: 'elu', alpha: finiteAlpha('elu', alpha) }),
  },
  gelu: {
    from: 'x',
    derivative: 'dx = dy · (Φ(x) + x · φ(x)), Φ and φ of the standard normal',
    source: HENDRYCKS,
    resolve: resolveGelu,
  },
  sigmoid: { from: 'y', derivative: 'dx = dy · y · (1 − y)' },
  silu: {
    from: 'x',
    derivative: 'dx = dy · s · (1 + x · (1 − s)), s = sigmoid(x)',
    source: 'Elfwing, Uchibe & Doya, arXiv:1702.03118, section 2.1',
  },
  hardSwish: {
    from: 'x',
    derivative: 'dx = 0 where x < −3, dy where x > 3, else dy · (2x + 3) / 6',
    source: 'Howard et al., MobileNetV3, arXiv:1905.02244, section 5.2',
  },
  tanh: { from: 'y', derivative: 'dx = dy · (1 − y²)' },
  softplus: { from: 'x', derivative: 'dx = dy · sigmoid(x)' },
  exp: { from: 'y', derivative: 'dx = dy · y' },
  log: { from: 'x', derivative: 'dx = dy / x' },
  sqrt: { from: 'y', derivative: 'dx = dy / (2y)' },
  square: { from: 'x', derivative: 'dx = dy · 2x' },
  abs: { from: 'x', derivative: 'dx = dy · sign(x)' },
  neg: { from: 'x', derivative: 'dx = −dy' },
  clip: {
    from: 'x',
    derivative: 'dx = dy where min ≤ x ≤ max, else 0',
    resolve: resolveClip,
  },
} as const satisfies Record<string, Entry>;

export type UnaryName = keyof typeof entries;

/** One record per function: y = f(x), dx = dy · f′(x). */
export const unaryRecords = Object.fromEntries(
  Object.entries(entries).map(([name, entry]) => [name, makeRecord(name as UnaryName, entry)]),
) as Record<UnaryName, UnaryRecord>;

/** The record of the function that `options.op` names. */
export function recordOf(options: { op?: unknown }): UnaryRecord {
  return unaryRecords[options.op as UnaryName];
}

function makeRecord(name: UnaryName, entry: Entry): UnaryRecord {
  const { from, derivative, source = TEXTBOOK, resolve = () => ({ code: name }) } = entry;
  // The slope of neg is a constant: nothing is kept, and dy stands in for what is not looked at.
  const saves = name === 'neg' ? {} : { [from]: ['x'] };
  return {
    name,
    inputs: { x: '…' },
    variants: () => unaryVariants,
    shape(inputs: InputMetas, options) {
      const x = expectElements(name, 'x', inputs.x);
      return { shape: x.shape, dtype: 'f32', f: resolve(options) };
    },
    forward: ({ runtime, inputs, options, plan }) => ({
      y: unaryForward(runtime, inputs.x!, plan.f, options.variant),
    }),
    saves,
    derivatives: { x: derivative },
    backward({ runtime, dy, saved, options, plan, needs }) {
      if (!needs.x) return {};
      return {
        x: unaryBackward(runtime, dy, name === 'neg' ? dy : saved[from], plan.f, options.variant),
      };
    },
    flops: (_inputs, plan) => sizeOf(plan.shape),
    bytes: (_inputs, plan) => 8 * sizeOf(plan.shape),
    source,
  };
}
