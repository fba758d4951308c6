import { ShapeError } from '../../errors.js';
import { sizeOf } from '../../gpu/array.js';
import { compareCodes, compareForward, type CompareName } from '../../kernels/compare.js';
import {
  broadcastVariants,
  fitsVectors,
  type BroadcastGeometry,
  type BroadcastVariant,
} from '../../kernels/lib/broadcast.js';
import { expectBroadcast, expectElements, labelAny } from '../operands.js';
import type { InputMetas, OpRecord, Plan } from '../record.js';

export interface CompareOptions {
  /** @internal For benches and tests: the kernel to use instead of the chosen one. */
  variant?: BroadcastVariant;
}

export interface ComparePlan extends Plan {
  geometry: BroadcastGeometry;
}

type CompareRecord = OpRecord<CompareOptions, ComparePlan>;

/** One record per comparison: y = 1 where it holds, else 0, with a and b repeated to a common shape. */
export const compareRecords = Object.fromEntries(
  (Object.keys(compareCodes) as CompareName[]).map((name) => [name, makeRecord(name)]),
) as Record<CompareName, CompareRecord>;

/** The record of the comparison that `options.op` names. */
export function recordOf(options: { op?: unknown }): CompareRecord {
  return compareRecords[options.op as CompareName];
}

function makeRecord(name: CompareName): CompareRecord {
  return {
    name,
    inputs: { a: '…', b: '…' },
    variants: (plan) => (fitsVectors(plan.geometry) ? broadcastVariants : []),
    shape: (inputs) => comparePlan(name, inputs),
    forward({ runtime, inputs, options, plan: { shape, geometry } }) {
      const operands = { a: inputs.a!, b: inputs.b! };
      return { y: compareForward(runtime, name, operands, shape, geometry, options.variant) };
    },
    saves: {},
    derivatives: {},
    backward: () => ({}),
    flops: (_inputs, plan) => sizeOf(plan.shape),
    bytes: (inputs, plan) =>
      4 * (sizeOf(inputs.a!.shape) + sizeOf(inputs.b!.shape) + sizeOf(plan.shape)),
    source: 'NumPy manual, sections Comparison and Broadcasting; NaN as in IEEE 754, section 5.11',
  };
}

function comparePlan(name: CompareName, inputs: InputMetas): ComparePlan {
  const types = ['f32', 'i32', 'u32'] as const;
  const a = expectElements(name, 'a', inputs.a, types);
  const b = expectElements(name, 'b', inputs.b, types);
  if (a.dtype !== b.dtype) {
    throw new ShapeError(
      `${name}: a and b must be of one type, got ${a.dtype} and ${b.dtype} (${labelAny('a', a)}, ${labelAny('b', b)})`,
      `cast one of them: b.cast('${a.dtype}')`,
    );
  }
  const { shape, geometry } = expectBroadcast(name, ['a', 'b'], inputs);
  return { shape, dtype: 'f32', geometry };
}
