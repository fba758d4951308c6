import { ShapeError } from '../../errors.js';
import { sizeOf } from '../../gpu/array.js';
import type { GatherGeometry } from '../../kernels/gather.js';
import { takeAlongAxisBackward, takeAlongAxisForward } from '../../kernels/take_along_axis.js';
import { expectElements, labelAny } from '../operands.js';
import type { InputMetas, OpRecord, Plan } from '../record.js';
import { axisOf } from '../shapes.js';

export interface TakeAlongAxisOptions {
  /** The axis to read along; negative counts from the end. Default −1. */
  axis?: number;
}

export interface TakeAlongAxisPlan extends Plan {
  geometry: GatherGeometry;
}

/** Reads along one axis with indices of its own for each row: y[o,p,i] = x[o, indices[o,p,i], i]. */
export const takeAlongAxis: OpRecord<TakeAlongAxisOptions, TakeAlongAxisPlan> = {
  name: 'takeAlongAxis',
  inputs: { x: '…', indices: '…' },
  shape: takeAlongAxisPlan,
  forward: ({ runtime, inputs: { x, indices }, plan: { geometry } }) => ({
    y: takeAlongAxisForward(runtime, x!, indices!, geometry),
  }),
  saves: { indices: ['x'] },
  derivatives: { x: 'dx[o,l,i] = Σ_{p: indices[o,p,i] = l} dy[o,p,i]' },
  backward({ runtime, dy, saved, inputs, plan: { geometry }, needs }) {
    if (!needs.x) return {};
    return { x: takeAlongAxisBackward(runtime, dy, saved.indices, inputs.x!.shape, geometry) };
  },
  flops: () => 0,
  bytes: (_inputs, plan) => 12 * sizeOf(plan.shape),
  source: 'NumPy manual, numpy.take_along_axis',
};

function takeAlongAxisPlan(inputs: InputMetas, options: TakeAlongAxisOptions): TakeAlongAxisPlan {
  const op = 'takeAlongAxis';
  const x = expectElements(op, 'x', inputs.x, ['f32', 'i32', 'u32']);
  const indices = expectElements(op, 'indices', inputs.indices, ['i32', 'u32']);
  const labels = `${labelAny('x', x)}, ${labelAny('indices', indices)}`;
  if (x.shape.length === 0) throw new ShapeError(`${op}: x has no axis to read along (${labels})`);
  const axis = axisOf(op, options.axis ?? -1, x.shape);
  const isAlike =
    indices.shape.length === x.shape.length &&
    indices.shape.every((size, each) => each === axis || size === x.shape[each]);
  if (!isAlike) {
    throw new ShapeError(
      `${op}: expected indices of x's shape but along axis ${axis} (${labels})`,
      'to use the same indices everywhere, call gather',
    );
  }
  const [before, after] = [x.shape.slice(0, axis), x.shape.slice(axis + 1)];
  return {
    shape: indices.shape,
    dtype: x.dtype,
    geometry: {
      outer: sizeOf(before),
      length: x.shape[axis],
      inner: sizeOf(after),
      picks: indices.shape[axis],
    },
  };
}
