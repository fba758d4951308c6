import { ShapeError, valueText } from '../../errors.js';
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

export interface PadOptions {
  /** [before, after] for each axis. */
  padding: readonly (readonly [number, number])[];
  /** What stands around x. Default 0. */
  value?: number;
  /** @internal For benches and tests: the kernel to use instead of the chosen one. */
  variant?: CopyVariant;
}

export interface PadPlan extends Plan {
  /** x within y. */
  box: BoxGeometry;
}

/** Surrounds x with a constant: y[i] = x[i − before] inside, value outside. */
export const pad: OpRecord<PadOptions, PadPlan> = {
  name: 'pad',
  variants: ({ box }) => (fitsBoxVectors(box) ? copyVariants : []),
  inputs: { x: '…' },
  shape: padPlan,
  forward({ runtime, inputs, options, plan: { shape, box } }) {
    return { y: padForward(runtime, inputs.x!, shape, box, options.value, options.variant) };
  },
  saves: {},
  derivatives: { x: 'dx[i] = dy[i + before]' },
  backward({ runtime, dy, inputs, options, plan: { box }, needs }) {
    if (!needs.x) return {};
    return { x: sliceForward(runtime, dy, inputs.x!.shape, box, options.variant) };
  },
  flops: () => 0,
  bytes: (inputs, plan) => 4 * (sizeOf(inputs.x!.shape) + sizeOf(plan.shape)),
  source: 'NumPy pad, mode constant',
};

function padPlan(inputs: InputMetas, { padding }: PadOptions): PadPlan {
  const x = expectElements('pad', 'x', inputs.x, ['f32', 'i32', 'u32']);
  const what = labelAny('x', x);
  if (padding.length !== x.shape.length) {
    throw new ShapeError(
      `pad: expected [before, after] for each of ${x.shape.length} axes, got ${padding.length} (${what})`,
    );
  }
  if (padding.flat().some((n) => !Number.isInteger(n) || n < 0)) {
    throw new ShapeError(
      `pad: padding must be whole numbers from 0, got ${valueText(padding)} (${what})`,
      'to cut something off, use slice',
    );
  }
  const shape = x.shape.map((length, axis) => padding[axis][0] + length + padding[axis][1]);
  const begin = padding.map(([before]) => before);
  return { shape, dtype: x.dtype, box: boxGeometry('pad', shape, x.shape, begin) };
}
