import { ShapeError, valueText } from '../../errors.js';
import { sizeOf } from '../../gpu/array.js';
import { topKForward, type TopKGeometry } from '../../kernels/top_k.js';
import { expectElements, labelAny } from '../operands.js';
import type { InputMetas, OpRecord, Plan } from '../record.js';
import { axisOf } from '../shapes.js';

export interface TopKOptions {
  /** How many: from 1 to the length of the axis. */
  k: number;
  /** The axis that is searched, negative ones counted from the end. Default −1. */
  axis?: number;
}

export interface TopKPlan extends Plan {
  geometry: TopKGeometry;
}

/** y[…, j, …] = the r of the j-th largest x[…, r, …]: indices, which have no gradient. */
export const topK: OpRecord<TopKOptions, TopKPlan> = {
  name: 'topK',
  inputs: { x: '…' },
  shape: topKPlan,
  forward: ({ runtime, inputs, plan: { shape, geometry } }) => ({
    y: topKForward(runtime, inputs.x!, shape, geometry),
  }),
  saves: {},
  derivatives: {},
  backward: () => ({}),
  flops: (inputs, { geometry }) => geometry.k * sizeOf(inputs.x!.shape),
  bytes: (inputs, plan) => 4 * (sizeOf(inputs.x!.shape) + sizeOf(plan.shape)),
  source: 'PyTorch manual, torch.topk',
};

function topKPlan(inputs: InputMetas, options: TopKOptions): TopKPlan {
  const x = expectElements('topK', 'x', inputs.x);
  if (x.shape.length === 0) {
    throw new ShapeError(`topK: x has no axis to search (${labelAny('x', x)})`);
  }
  const axis = axisOf('topK', options.axis ?? -1, x.shape);
  const length = x.shape[axis];
  const { k } = options;
  if (!(Number.isInteger(k) && k >= 1 && k <= length)) {
    throw new ShapeError(
      `topK: k must be an integer from 1 to ${length}, the length of axis ${axis}, got ${valueText(k)} (${labelAny('x', x)})`,
    );
  }
  const [before, after] = [x.shape.slice(0, axis), x.shape.slice(axis + 1)];
  const geometry = { outer: sizeOf(before), length, inner: sizeOf(after), k };
  return { shape: [...before, k, ...after], dtype: 'i32', geometry };
}
