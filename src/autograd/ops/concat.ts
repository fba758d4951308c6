import { ShapeError } from '../../errors.js';
import type { GpuArray } from '../../gpu/array.js';
import { sizeOf } from '../../gpu/array.js';
import {
  concatForward,
  concatGeometry,
  fitsConcatVectors,
  type ConcatGeometry,
} from '../../kernels/concat.js';
import {
  boxGeometry,
  chooseBoxVariant,
  copyVariants,
  type CopyVariant,
} from '../../kernels/lib/box_geometry.js';
import { sliceForward } from '../../kernels/slice.js';
import { expectElements, labelAny } from '../operands.js';
import type { InputMetas, OpRecord, Plan } from '../record.js';
import { axisOf } from '../shapes.js';

export interface ConcatOptions {
  /** The axis that grows; negative from the end. */
  axis: number;
  /** @internal For benches and tests: the kernel to use instead of the chosen one. */
  variant?: CopyVariant;
}

export interface ConcatPlan extends Plan {
  axis: number;
  /** Where each input begins along the axis. */
  starts: readonly number[];
  geometry: ConcatGeometry;
}

/** Joins x0, x1, … along one axis. */
export const concat: OpRecord<ConcatOptions, ConcatPlan> = {
  name: 'concat',
  variants: ({ geometry }) => (fitsConcatVectors(geometry) ? copyVariants : []),
  /** Any number of inputs, named x0, x1, … */
  inputs: { xi: '…' },
  shape: concatPlan,
  forward({ runtime, inputs, options, plan: { shape, geometry } }) {
    const arrays = geometry.widths.map((_, i) => inputs[`x${i}`]!);
    return { y: concatForward(runtime, arrays, shape, geometry, options.variant) };
  },
  saves: {},
  derivatives: { xi: 'dxi[j] = dy[j + start of xi along the axis]' },
  backward({ runtime, dy, inputs, options, plan: { shape, axis, starts }, needs }) {
    const gradients: Record<string, GpuArray> = {};
    starts.forEach((start, i) => {
      if (!needs[`x${i}`]) return;
      const size = inputs[`x${i}`]!.shape;
      const begin = size.map((_, each) => (each === axis ? start : 0));
      const box = boxGeometry('concat', shape, size, begin);
      const variant = options.variant === 'naive' ? 'naive' : chooseBoxVariant(box);
      gradients[`x${i}`] = sliceForward(runtime, dy, size, box, variant);
    });
    return gradients;
  },
  flops: () => 0,
  bytes: (_inputs, plan) => 8 * sizeOf(plan.shape),
  source: 'NumPy concatenate',
};

function concatPlan(inputs: InputMetas, options: ConcatOptions): ConcatPlan {
  const count = Object.values(inputs).filter((meta) => meta !== undefined).length;
  const metas = Array.from({ length: count }, (_, i) =>
    expectElements('concat', `x${i}`, inputs[`x${i}`], ['f32', 'i32', 'u32']),
  );
  if (count === 0) throw new ShapeError('concat: expected one tensor or more, got none');
  const [first] = metas;
  const axis = axisOf('concat', options.axis, first.shape);
  metas.forEach((meta, i) => {
    const fits =
      meta.dtype === first.dtype &&
      meta.shape.length === first.shape.length &&
      meta.shape.every((length, each) => each === axis || length === first.shape[each]);
    if (fits) return;
    const shapes = metas.map((each, j) => `${labelAny(`x${j}`, each)} ${each.dtype}`).join(', ');
    throw new ShapeError(
      `concat: x${i} does not fit x0: types, and lengths of all axes but ${axis}, must be equal (${shapes})`,
    );
  });
  const starts: number[] = [];
  let total = 0;
  for (const { shape } of metas) {
    starts.push(total);
    total += shape[axis];
  }
  const geometry = concatGeometry(
    metas.map(({ shape }) => shape),
    axis,
  );
  return { shape: first.shape.with(axis, total), dtype: first.dtype, axis, starts, geometry };
}
