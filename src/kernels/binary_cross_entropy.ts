import type { GpuArray } from '../gpu/array.js';
import type { Runtime } from '../gpu/runtime.js';
import { lossDivisor, reduceLosses, type Reduction } from './lib/loss_reduction.js';

const WORKGROUP = 64;

/** One element per invocation, or four. */
export const binaryCrossEntropyVariants = ['naive', 'vec4'] as const;
export type BinaryCrossEntropyVariant = (typeof binaryCrossEntropyVariants)[number];

interface BinaryCrossEntropySetup {
  reduction: Reduction;
  fromLogits: boolean;
  variant?: BinaryCrossEntropyVariant | undefined;
}

/** Cross-entropy of each element, reduced; two arrays of one shape → [] or that shape. */
export function binaryCrossEntropyForward(
  runtime: Runtime,
  prediction: GpuArray,
  target: GpuArray,
  { reduction, fromLogits, variant }: BinaryCrossEntropySetup,
): GpuArray {
  const losses = runtime.alloc(prediction.shape);
  const { size, tune } = lanesOf(prediction.size, variant);
  runtime.dispatch({
    shader: 'binary_cross_entropy_forward_naive',
    op: 'binaryCrossEntropy forward',
    tune,
    constants: { FROM_LOGITS: fromLogits },
    bindings: { prediction, labels: target, losses },
    params: { size },
    groups: Math.ceil(size / WORKGROUP),
    flops: 7 * prediction.size,
    bytes: 12 * prediction.size,
  });
  return reduceLosses(runtime, losses, reduction);
}

/** dprediction, or with `ofTarget` dtarget; of the inputs' shape. */
export function binaryCrossEntropyBackward(
  runtime: Runtime,
  dy: GpuArray,
  prediction: GpuArray,
  target: GpuArray,
  { reduction, fromLogits, variant }: BinaryCrossEntropySetup,
  ofTarget: boolean,
): GpuArray {
  const gradient = runtime.alloc(prediction.shape);
  const { size, tune } = lanesOf(prediction.size, variant);
  runtime.dispatch({
    shader: 'binary_cross_entropy_backward_naive',
    op: `binaryCrossEntropy ${ofTarget ? 'grad-target' : 'grad-prediction'}`,
    tune,
    constants: {
      FROM_LOGITS: fromLogits,
      IS_REDUCED: reduction !== 'none',
      OF_TARGET: ofTarget,
    },
    bindings: { prediction, labels: target, dy, dy_one: dy, gradient },
    params: { size, divisor: lossDivisor(reduction, prediction.size) },
    groups: Math.ceil(size / WORKGROUP),
    flops: 6 * prediction.size,
    bytes: 12 * prediction.size,
  });
  return gradient;
}

/** Vectors of four by default: buffers are padded to whole ones, so any size will do. */
function lanesOf(
  elements: number,
  variant: BinaryCrossEntropyVariant = 'vec4',
): { size: number; tune: Record<string, string> } {
  if (variant === 'naive') return { size: elements, tune: {} };
  return { size: Math.ceil(elements / 4), tune: { Lanes: 'vec4<f32>', Places: 'vec4<u32>' } };
}
