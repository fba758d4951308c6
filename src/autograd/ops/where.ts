import { sizeOf } from '../../gpu/array.js';
import {
  broadcastVariants,
  fitsVectors,
  type BroadcastGeometry,
  type BroadcastVariant,
} from '../../kernels/lib/broadcast.js';
import { whereBackward, whereForward } from '../../kernels/where.js';
import { expectBroadcast, expectElements } from '../operands.js';
import type { OpRecord, Plan } from '../record.js';

export interface WhereOptions {
  /** @internal For benches and tests: the kernel to use instead of the chosen one. */
  variant?: BroadcastVariant;
}

export interface WherePlan extends Plan {
  geometry: BroadcastGeometry;
}

/** Chooses: y = condition ≠ 0 ? a : b, all three repeated to a common shape. */
export const where: OpRecord<WhereOptions, WherePlan> = {
  name: 'where',
  inputs: { condition: '…', a: '…', b: '…' },
  variants: (plan) => (fitsVectors(plan.geometry) ? broadcastVariants : []),
  shape(inputs) {
    expectElements('where', 'condition', inputs.condition, ['u32', 'i32', 'f32']);
    expectElements('where', 'a', inputs.a);
    expectElements('where', 'b', inputs.b);
    const { shape, geometry } = expectBroadcast('where', ['condition', 'a', 'b'], inputs);
    return { shape, dtype: 'f32', geometry };
  },
  forward({ runtime, inputs, options, plan: { shape, geometry } }) {
    const operands = { condition: inputs.condition!, a: inputs.a!, b: inputs.b! };
    return { y: whereForward(runtime, operands, shape, geometry, options.variant) };
  },
  saves: { condition: ['a', 'b'] },
  derivatives: {
    a: 'da = dy where condition ≠ 0, else 0, summed over what a was repeated along',
    b: 'db = dy where condition = 0, else 0, summed over what b was repeated along',
  },
  backward({ runtime, dy, saved, inputs, options, plan: { geometry }, needs }) {
    const gradient = (side: 'a' | 'b') =>
      needs[side]
        ? whereBackward(
            runtime,
            side,
            dy,
            saved.condition,
            inputs[side]!.shape,
            geometry,
            options.variant,
          )
        : undefined;
    return { a: gradient('a'), b: gradient('b') };
  },
  flops: () => 0,
  bytes: (inputs, plan) =>
    4 *
    (sizeOf(inputs.condition!.shape) +
      sizeOf(inputs.a!.shape) +
      sizeOf(inputs.b!.shape) +
      sizeOf(plan.shape)),
  source: 'NumPy manual, numpy.where',
};
