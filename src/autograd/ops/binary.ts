import { sizeOf, type GpuArray } from '../../gpu/array.js';
import { binaryBackward, binaryForward, type BinaryName } from '../../kernels/binary.js';
import {
  broadcastVariants,
  fitsVectors,
  type BroadcastGeometry,
  type BroadcastVariant,
} from '../../kernels/lib/broadcast.js';
import { sumToShape } from '../../kernels/reduce.js';
import { expectBroadcast, expectElements } from '../operands.js';
import type { BackwardCall, InputMetas, OpRecord, Plan } from '../record.js';

export interface BinaryOptions {
  /** @internal For benches and tests: the kernel to use instead of the chosen one. */
  variant?: BroadcastVariant;
}

export interface BinaryPlan extends Plan {
  geometry: BroadcastGeometry;
}

type BinaryRecord = OpRecord<BinaryOptions, BinaryPlan>;

interface Entry {
  derivatives: { a: string; b: string };
  /** Whether the derivatives are constants: 1, or −1 for b of sub. */
  isLinear: boolean;
}

const SUMMED = ', summed over what the operand was repeated along';

const entries: Readonly<Record<BinaryName, Entry>> = {
  add: { isLinear: true, derivatives: { a: 'da = dy', b: 'db = dy' } },
  sub: { isLinear: true, derivatives: { a: 'da = dy', b: 'db = −dy' } },
  mul: { isLinear: false, derivatives: { a: 'da = dy · b', b: 'db = dy · a' } },
  div: { isLinear: false, derivatives: { a: 'da = dy / b', b: 'db = −dy · a / b²' } },
  pow: {
    isLinear: false,
    derivatives: { a: 'da = dy · b · a^(b−1)', b: 'db = dy · a^b · ln a' },
  },
  maximum: {
    isLinear: false,
    derivatives: {
      a: 'da = dy where a > b, dy / 2 where they tie, else 0',
      b: 'db = dy where b > a, dy / 2 where they tie, else 0',
    },
  },
  minimum: {
    isLinear: false,
    derivatives: {
      a: 'da = dy where a < b, dy / 2 where they tie, else 0',
      b: 'db = dy where b < a, dy / 2 where they tie, else 0',
    },
  },
};

/** One record per function: y = f(a, b), with a and b repeated to a common shape. */
export const binaryRecords = Object.fromEntries(
  Object.entries(entries).map(([name, entry]) => [name, makeRecord(name as BinaryName, entry)]),
) as Record<BinaryName, BinaryRecord>;

/** The record of the function that `options.op` names. */
export function recordOf(options: { op?: unknown }): BinaryRecord {
  return binaryRecords[options.op as BinaryName];
}

function makeRecord(name: BinaryName, { derivatives, isLinear }: Entry): BinaryRecord {
  return {
    name,
    inputs: { a: '…', b: '…' },
    variants: (plan) => (fitsVectors(plan.geometry) ? broadcastVariants : []),
    shape: (inputs) => binaryPlan(name, inputs),
    forward({ runtime, inputs, options, plan: { shape, geometry } }) {
      const operands = [inputs.a!, inputs.b!] as const;
      return { y: binaryForward(runtime, name, operands, shape, geometry, options.variant) };
    },
    saves: isLinear ? {} : savedOf(name),
    derivatives: { a: derivatives.a + SUMMED, b: derivatives.b + SUMMED },
    backward(call) {
      const { needs } = call;
      return {
        a: needs.a ? gradientOf(name, 'a', isLinear, call) : undefined,
        b: needs.b ? gradientOf(name, 'b', isLinear, call) : undefined,
      };
    },
    flops: (_inputs, plan) => sizeOf(plan.shape),
    bytes: (inputs, plan) =>
      4 * (sizeOf(inputs.a!.shape) + sizeOf(inputs.b!.shape) + sizeOf(plan.shape)),
    source: 'elementary calculus; broadcasting as in the NumPy manual, section Broadcasting',
  };
}

/** Which operand each gradient looks at: mul and div's da need the other one alone. */
function savedOf(name: BinaryName): Record<string, readonly string[]> {
  if (name === 'mul') return { a: ['b'], b: ['a'] };
  if (name === 'div') return { a: ['b'], b: ['a', 'b'] };
  return { a: ['a', 'b'], b: ['a', 'b'] };
}

function gradientOf(
  name: BinaryName,
  side: 'a' | 'b',
  isLinear: boolean,
  { runtime, dy, saved, inputs, options, plan }: BackwardCall<BinaryOptions, BinaryPlan>,
): GpuArray {
  const { shape } = inputs[side]!;
  if (isLinear && !(name === 'sub' && side === 'b')) return sumToShape(runtime, dy.retain(), shape);
  // An operand that was not kept is one that the slope does not look at: the other stands in.
  const kept = 'a' in saved ? saved.a : 'b' in saved ? saved.b : dy;
  const a = 'a' in saved ? saved.a : kept;
  const b = 'b' in saved ? saved.b : kept;
  const { geometry } = plan;
  return binaryBackward(runtime, name, side, dy, [a, b], shape, geometry, options.variant);
}

function binaryPlan(name: BinaryName, inputs: InputMetas): BinaryPlan {
  expectElements(name, 'a', inputs.a);
  expectElements(name, 'b', inputs.b);
  const { shape, geometry } = expectBroadcast(name, ['a', 'b'], inputs);
  return { shape, dtype: 'f32', geometry };
}
