import { ShapeError } from '../../errors.js';
import { sizeOf } from '../../gpu/array.js';
import {
  boxGeometry,
  copyVariants,
  fitsBoxVectors,
  type BoxGeometry,
  type CopyVariant,
} from '../../kernels/lib/box_geometry.js';
import { padForward } from '../../kernels/pad.js';
import { sliceForward } from '../../kernels/slice.js';
import { expectElements, labelAny } from '../operands.js';
import type { InputMetas, OpRecord, Plan } from '../record.js';

export interface SliceOptions {
  /** First index along each axis. */
  begin: readonly number[];
  /** Length along each axis. */
  size: readonly number[];
  /** @internal For benches and tests: the kernel to use instead of the chosen one. */
  variant?: CopyVariant;
}

export interface SlicePlan extends Plan {
  /** y within x. */
  box: BoxGeometry;
}

/** A box of x: y[i] = x[begin + i]. */
export const slice: OpRecord<SliceOptions, SlicePlan> = {
  name: 'slice',
  variants: ({ box }) => (fitsBoxVectors(box) ? copyVariants : []),
  inputs: { x: '…' },
  shape: slicePlan,
  forward({ runtime, inputs, options, plan: { shape, box } }) {
    return { y: sliceForward(runtime, inputs.x!, shape, box, options.variant) };
  },
  saves: {},
  derivatives: { x: 'dx[begin + i] = dy[i], 0 outside the box' },
  backward({ runtime, dy, inputs, options, plan: { box }, needs }) {
    if (!needs.x) return {};
    return { x: padForward(runtime, dy, inputs.x!.shape, box, 0, options.variant) };
  },
  flops: () => 0,
  bytes: (_inputs, plan) => 8 * sizeOf(plan.shape),
  source: 'NumPy basic slicing, step 1',
};

function slicePlan(inputs: InputMetas, { begin, size }: SliceOptions): SlicePlan {
  const x = expectElements('slice', 'x', inputs.x, ['f32', 'i32', 'u32']);
  const came = `begin [${begin.join(', ')}], size [${size.join(', ')}] (${labelAny('x', x)})`;
  const rank = x.shape.length;
  if (begin.length !== rank || size.length !== rank) {
    throw new ShapeError(`slice: expected begin and size for each of ${rank} axes, got ${came}`);
  }
  const isInside = x.shape.every(
    (length, axis) =>
      Number.isInteger(begin[axis]) &&
      Number.isInteger(size[axis]) &&
      begin[axis] >= 0 &&
      size[axis] >= 1 &&
      begin[axis] + size[axis] <= length,
  );
  if (!isInside) {
    throw new ShapeError(
      `slice: expected a box of one element or more that lies inside x, got ${came}`,
    );
  }
  return { shape: [...size], dtype: x.dtype, box: boxGeometry('slice', x.shape, size, begin) };
}
