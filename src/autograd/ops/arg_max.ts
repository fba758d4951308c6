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
  /** The axis that is searched, negative ones counted from the end; x flattened if absent. */
  axis?: number;
  /** Leaves the searched axis in the shape, as 1. Default false. */
  keepDims?: boolean;
  /** @internal For benches and tests: the kernel to use instead of the chosen one. */
  variant?: ArgMaxVariant;
}

export interface ArgMaxPlan extends Plan {
  geometry: ArgMaxGeometry;
}

type ArgMaxRecord = OpRecord<ArgMaxOptions, ArgMaxPlan>;

/** Index of the largest element along an axis, the first if several tie. No gradient. */
export const argMax = argRecord('argmax');

/** Index of the smallest element along an axis, the first if several tie. No gradient. */
export const argMin = argRecord('argmin');

/** The record that `options.op` names, argmax where it names none. */
export function recordOf(options: { op?: unknown }): ArgMaxRecord {
  return options.op === 'argmin' ? argMin : argMax;
}

function argRecord(name: 'argmax' | 'argmin'): ArgMaxRecord {
  return {
    name,
    inputs: { x: '…' },
    variants: () => argMaxVariants,
    shape: (inputs, options) => argMaxPlan(name, inputs, options),
    forward({ runtime, inputs, options: { variant }, plan: { shape, geometry } }) {
      const launch = { isMin: name === 'argmin', variant };
      return { y: argMaxForward(runtime, inputs.x!, shape, geometry, launch) };
    },
    saves: {},
    derivatives: {},
    backward: () => ({}),
    flops: (inputs) => sizeOf(inputs.x!.shape),
    bytes: (inputs, plan) => 4 * (sizeOf(inputs.x!.shape) + sizeOf(plan.shape)),
    source: `NumPy manual, numpy.${name}`,
  };
}

function argMaxPlan(
  op: string,
  inputs: InputMetas,
  { axis, keepDims = false }: ArgMaxOptions,
): ArgMaxPlan {
  const { shape } = expectElements(op, 'x', inputs.x);
  if (axis === undefined) {
    const all = shape.map((_, each) => each);
    const geometry = { outer: 1, length: sizeOf(shape), inner: 1 };
    return { shape: reducedShape(shape, all, keepDims), dtype: 'i32', geometry };
  }
  const at = axisOf(op, axis, shape);
  const geometry = {
    outer: sizeOf(shape.slice(0, at)),
    length: shape[at],
    inner: sizeOf(shape.slice(at + 1)),
  };
  return { shape: reducedShape(shape, [at], keepDims), dtype: 'i32', geometry };
}
