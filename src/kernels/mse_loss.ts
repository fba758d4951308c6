import type { GpuArray } from '../gpu/array.js';
import type { Runtime } from '../gpu/runtime.js';
import { lossDivisor, reduceLosses, type Reduction } from './lib/loss_reduction.js';

const WORKGROUP = 64;

/** One element per invocation, or four. */
export const mseLossVariants = ['naive', 'vec4'] as const;
export type MseLossVariant = (typeof mseLossVariants)[number];

interface MseLossSetup {
  reduction: Reduction;
  variant?: MseLossVariant | undefined;
}

/** (prediction − target)², reduced; two arrays of one shape → [] or that shape. */
export function mseLossForward(
  runtime: Runtime,
  prediction: GpuArray,
  target: GpuArray,
  { reduction, variant }: MseLossSetup,
): GpuArray {
  const losses = runtime.alloc(prediction.shape);
  const { size, tune } = lanesOf(prediction.size, variant);
  runtime.dispatch({
    shader: 'mse_loss_forward_naive',
    op: 'mseLoss forward',
    tune,
    bindings: { prediction, labels: target, losses },
    params: { size },
    groups: Math.ceil(size / WORKGROUP),
    flops: 2 * prediction.size,
    bytes: 12 * prediction.size,
  });
  return reduceLosses(runtime, losses, reduction);
}

/** dprediction, or with `ofTarget` dtarget; of the inputs' shape. */
export function mseLossBackward(
  runtime: Runtime,
  dy: GpuArray,
  prediction: GpuArray,
  target: GpuArray,
  { reduction, variant }: MseLossSetup,
  ofTarget: boolean,
): GpuArray {
  const gradient = runtime.alloc(prediction.shape);
  const { size, tune } = lanesOf(prediction.size, variant);
  runtime.dispatch({
    shader: 'mse_loss_backward_naive',
    op: `mseLoss ${ofTarget ? 'grad-target' : 'grad-prediction'}`,
    tune,
    constants: { IS_REDUCED: reduction !== 'none', OF_TARGET: ofTarget },
    bindings: { prediction, labels: target, dy, dy_one: dy, gradient },
    params: { size, divisor: lossDivisor(reduction, prediction.size) },
    groups: Math.ceil(size / WORKGROUP),
    flops: 3 * prediction.size,
    bytes: 12 * prediction.size,
  });
  return gradient;
}

/** Vectors of four by default: buffers are padded to whole ones, so any size will do. */
function lanesOf(
  elements: number,
  variant: MseLossVariant = 'vec4',
): { size: number; tune: Record<string, string> } {
  if (variant === 'naive') return { size: elements, tune: {} };
  return { size: Math.ceil(elements / 4), tune: { Lanes: 'vec4<f32>' } };
}
