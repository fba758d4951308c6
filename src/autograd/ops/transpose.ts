import { ShapeError } from '../../errors.js';
import { sizeOf } from '../../gpu/array.js';
import {
  transposeArray,
  transposeGeometry,
  transposeVariants,
  type TransposeGeometry,
  type TransposeVariant,
} from '../../kernels/transpose.js';
import { expectElements, labelAny } from '../operands.js';
import type { InputMetas, OpRecord, Plan } from '../record.js';

export interface TransposeOptions {
  /** The axis of x that becomes axis i of y, for each i. Default: all axes reversed. */
  permutation?: readonly number[];
  /** @internal For benches and tests: the kernel to use instead of the chosen one. */
  variant?: TransposeVariant;
}

export interface TransposePlan extends Plan {
  geometry: TransposeGeometry;
  /** The way back, from y to x. */
  inverse: TransposeGeometry;
}

/** Reorders axes: axis i of y is axis permutation[i] of x. */
export const transpose: OpRecord<TransposeOptions, TransposePlan> = {
  name: 'transpose',
  variants: ({ geometry }) => transposeVariants(geometry),
  inputs: { x: '…' },
  shape: transposePlan,
  forward({ runtime, inputs, options, plan: { shape, geometry } }) {
    return { y: transposeArray(runtime, inputs.x!, shape, geometry, options.variant) };
  },
  saves: {},
  derivatives: { x: 'dx = dy with its axes put back' },
  backward({ runtime, dy, inputs, options, plan: { inverse }, needs }) {
    if (!needs.x) return {};
    return { x: transposeArray(runtime, dy, inputs.x!.shape, inverse, options.variant) };
  },
  flops: () => 0,
  bytes: (_inputs, plan) => 8 * sizeOf(plan.shape),
  source: 'NumPy transpose',
};

function transposePlan(inputs: InputMetas, options: TransposeOptions): TransposePlan {
  const x = expectElements('transpose', 'x', inputs.x, ['f32', 'i32', 'u32']);
  const axes = x.shape.map((_, axis) => axis);
  const permutation = options.permutation ?? axes.toReversed();
  if (permutation.length !== axes.length || !axes.every((axis) => permutation.includes(axis))) {
    throw new ShapeError(
      `transpose: permutation must name each of ${axes.length} axes once, got [${permutation.join(', ')}] (${labelAny('x', x)})`,
    );
  }
  const shape = permutation.map((axis) => x.shape[axis]);
  const geometry = transposeGeometry(x.shape, permutation);
  if (geometry.shape.length > 6) {
    throw new ShapeError(
      `transpose: expected at most 6 axes that move, got permutation [${permutation.join(', ')}] (${labelAny('x', x)})`,
    );
  }
  const back = axes.map((axis) => permutation.indexOf(axis));
  return { shape, dtype: x.dtype, geometry, inverse: transposeGeometry(shape, back) };
}
