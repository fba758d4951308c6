import { sizeOf } from '../../gpu/array.js';
import {
  argMaxForward,
  argMaxVariants,
  type ArgMaxGeometry,
  type ArgMaxVariant,
} from '../../kernels/arg_max.js';
import { expectElements, reducedShape } from '../operands.js';
import type { InputMetas, OpRecord, Plan } from '../record.js';
import { axisOf } from '../shapes.js';

export interface ArgMaxOptions {
  /** The axis that is searched, negative ones counted from the end; x flattened where absent. */
  axis?: number;
  /** Leaves the searched axis in the shape, as 1. Default false. */
  keepDims?: boolean;
  /** For benches and tests: the kernel to use instead of the chosen one. */
  variant?: ArgMaxVariant;
}

export interface ArgMaxPlan extends Plan {
  geometry: ArgMaxGeometry;
}

/** Index of the largest element along an axis, the first where several tie. No gradient. */
export const argMax: OpRecord<ArgMaxOptions, ArgMaxPlan> = {
  name: 'argmax',
  inputs: { x: '…' },
  variants: () => argMaxVariants,
  shape: argMaxPlan,
  forward({ runtime, inputs, options, plan: { shape, geometry } }) {
    return { y: argMaxForward(runtime, inputs.x!, shape, geometry, options.variant) };
  },
  saves: {},
  derivatives: {},
  backward: () => ({}),
  flops: (inputs) => sizeOf(inputs.x!.shape),
  bytes: (inputs, plan) => 4 * (sizeOf(inputs.x!.shape) + sizeOf(plan.shape)),
  source: 'NumPy manual, numpy.argmax',
};

function argMaxPlan(inputs: InputMetas, { axis, keepDims = false }: ArgMaxOptions): ArgMaxPlan {
  const { shape } = expectElements('argmax', 'x', inputs.x);
  if (axis === undefined) {
    const all = shape.map((_, each) => each);
    const geometry = { outer: 1, length: sizeOf(shape), inner: 1 };
    return { shape: reducedShape(shape, all, keepDims), dtype: 'i32', geometry };
  }
  const at = axisOf('argmax', axis, shape);
  const geometry = {
    outer: sizeOf(shape.slice(0, at)),
    length: shape[at],
    inner: sizeOf(shape.slice(at + 1)),
  };
  return { shape: reducedShape(shape, [at], keepDims), dtype: 'i32', geometry };
}
