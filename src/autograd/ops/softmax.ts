import { ShapeError } from '../../errors.js';
import { sizeOf } from '../../gpu/array.js';
import {
  softmaxBackward,
  softmaxForward,
  softmaxVariants,
  type SoftmaxGeometry,
  type SoftmaxVariant,
} from '../../kernels/softmax.js';
import type { OpRecord, Plan } from '../record.js';
import { axisOf, expectDtype } from '../shapes.js';

export interface SoftmaxOptions {
  /** Default −1, the last axis. */
  axis?: number;
  /** @internal For benches and tests: the kernel to use instead of the chosen one. */
  variant?: SoftmaxVariant;
}

export interface SoftmaxPlan extends Plan {
  geometry: SoftmaxGeometry;
}

/** y = exp(x) / Σ exp(x) along one axis. */
export const softmax = softmaxRecord('softmax', 'dx = y · (dy − Σ dy · y)');

/** y = x − log Σ exp(x) along one axis. */
export const logSoftmax = softmaxRecord('logSoftmax', 'dx = dy − exp(y) · Σ dy');

/** The record of one member of the family. */
export function recordOf(options: {
  op: 'softmax' | 'logSoftmax';
}): OpRecord<SoftmaxOptions, SoftmaxPlan> {
  return options.op === 'softmax' ? softmax : logSoftmax;
}

function softmaxRecord(
  op: 'softmax' | 'logSoftmax',
  derivative: string,
): OpRecord<SoftmaxOptions, SoftmaxPlan> {
  return {
    name: op,
    variants: () => softmaxVariants,
    inputs: { x: '…' },
    shape({ x }, { axis = -1 }) {
      if (!x) throw new ShapeError(`${op}: x is missing`);
      expectDtype(op, 'x', x);
      const { shape } = x;
      const at = axisOf(op, axis, shape);
      const outer = sizeOf(shape.slice(0, at));
      const inner = sizeOf(shape.slice(at + 1));
      return { shape, dtype: 'f32', geometry: { op, outer, k: shape[at], inner } };
    },
    forward({ runtime, inputs, options, plan }) {
      const { variant } = options;
      return { y: softmaxForward(runtime, inputs.x!, plan.geometry, { variant }) };
    },
    saves: { y: ['x'] },
    derivatives: { x: derivative },
    backward({ runtime, dy, saved, options, plan, needs }) {
      if (!needs.x) return {};
      const { variant } = options;
      return { x: softmaxBackward(runtime, dy, saved.y, plan.geometry, { variant }) };
    },
    flops: (_inputs, plan) => 4 * sizeOf(plan.shape),
    bytes: (_inputs, plan) => 8 * sizeOf(plan.shape),
    source: 'Goodfellow, Bengio & Courville, Deep Learning (2016), sections 4.1 and 6.2.2.3',
  };
}
