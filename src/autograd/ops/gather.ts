import { sizeOf } from '../../gpu/array.js';
import {
  gatherBackward,
  gatherForward,
  gatherGeometry,
  gatherVariants,
  type GatherGeometry,
  type GatherVariant,
} from '../../kernels/gather.js';
import { ShapeError } from '../../errors.js';
import { expectElements, labelAny } from '../operands.js';
import type { InputMetas, OpRecord, Plan } from '../record.js';
import { axisOf } from '../shapes.js';

export interface GatherOptions {
  /** The axis to select along; negative counts from the end. Default 0. */
  axis?: number;
  /** @internal For benches and tests: the kernel to use instead of the chosen one. */
  variant?: GatherVariant;
}

export interface GatherPlan extends Plan {
  geometry: GatherGeometry;
}

/** Selects along one axis: y[…, indices, …] = x[…, i, …]. */
export const gather: OpRecord<GatherOptions, GatherPlan> = {
  name: 'gather',
  variants: ({ geometry }) => gatherVariants(geometry),
  inputs: { x: '…', indices: '…' },
  shape: gatherPlan,
  forward({ runtime, inputs, options, plan: { shape, geometry } }) {
    const { x, indices } = inputs;
    return { y: gatherForward(runtime, x!, indices!, shape, geometry, options.variant) };
  },
  saves: { indices: ['x'] },
  derivatives: { x: 'dx[o,l,i] = Σ_{p: indices[p] = l} dy[o,p,i]' },
  backward({ runtime, dy, saved, inputs, options, plan: { geometry }, needs }) {
    if (!needs.x) return {};
    const { shape } = inputs.x!;
    return { x: gatherBackward(runtime, dy, saved.indices, shape, geometry, options.variant) };
  },
  flops: () => 0,
  bytes: (inputs, plan) => 8 * sizeOf(plan.shape) + 4 * sizeOf(inputs.indices!.shape),
  source: 'NumPy take',
};

function gatherPlan(inputs: InputMetas, options: GatherOptions): GatherPlan {
  const x = expectElements('gather', 'x', inputs.x, ['f32', 'i32', 'u32']);
  const indices = expectElements('gather', 'indices', inputs.indices, ['i32', 'u32']);
  if (x.shape.length === 0) {
    throw new ShapeError(`gather: x has no axis to pick from (${labelAny('x', x)})`);
  }
  const axis = axisOf('gather', options.axis ?? 0, x.shape);
  const shape = [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)];
  const geometry = gatherGeometry(x.shape, indices.shape, axis);
  return { shape, dtype: x.dtype, geometry };
}
