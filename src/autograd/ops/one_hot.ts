import { ShapeError } from '../../errors.js';
import { sizeOf } from '../../gpu/array.js';
import { oneHotForward } from '../../kernels/one_hot.js';
import { expectElements, labelAny } from '../operands.js';
import type { OpRecord } from '../record.js';

export interface OneHotOptions {
  /** Number of classes: length of the new last axis. */
  depth: number;
}

/** y[…, k] = 1 where indices[…] = k, else 0. Not differentiable. */
export const oneHot: OpRecord<OneHotOptions> = {
  name: 'oneHot',
  inputs: { indices: '…' },
  shape(inputs, { depth }) {
    const indices = expectElements('oneHot', 'indices', inputs.indices, ['i32', 'u32']);
    if (!Number.isInteger(depth) || depth < 1) {
      throw new ShapeError(
        `oneHot: depth must be a whole number from 1, got ${depth} (${labelAny('indices', indices)})`,
      );
    }
    return { shape: [...indices.shape, depth], dtype: 'f32' };
  },
  forward: ({ runtime, inputs, options }) => ({
    y: oneHotForward(runtime, inputs.indices!, options.depth),
  }),
  saves: {},
  derivatives: {},
  backward: () => ({}),
  flops: () => 0,
  bytes: (inputs, plan) => 4 * (sizeOf(inputs.indices!.shape) + sizeOf(plan.shape)),
  source: 'textbook definition',
};
