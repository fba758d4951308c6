import type { GpuArray } from '../../gpu/array.js';
import type { Runtime } from '../../gpu/runtime.js';
import { conv2dCost, type Conv2dGeometry } from '../conv2d/geometry.js';
import { activationCodes, type FusedActivation } from '../lib/activation.js';
import { sumSlices } from '../lib/sum_slices.js';
import { stepParams, windowParams } from './params.js';
import type { DepthwiseProblem } from './params.js';

/* Each invocation computes four channels of a few pixels in a row. */

/** Pixels of a row that one invocation computes. */
const PIXELS = 4;
const WORKGROUP = 64;

export function vec4Unsupported({ geometry: { c, k } }: Pick<DepthwiseProblem, 'geometry'>) {
  if (k !== c) return `it needs one filter a channel, got ${k / c}`;
  return c % 4 === 0 ? null : `it needs C to be a multiple of 4, got ${c}`;
}

export function depthwiseForwardVec4(
  runtime: Runtime,
  x: GpuArray,
  w: GpuArray,
  bias: GpuArray | undefined,
  geometry: Conv2dGeometry,
  activation: FusedActivation | undefined,
): GpuArray {
  const { n, p, q, k } = geometry;
  const y = runtime.alloc([n, p, q, k]);
  runtime.dispatch({
    shader: 'depthwise_conv2d_forward_vec4',
    op: 'depthwise-conv2d forward',
    tune: { TQ: PIXELS },
    constants: {
      HAS_BIAS: bias !== undefined,
      ACTIVATION: activationCodes[activation ?? 'none'],
    },
    bindings: { x, w, bias: bias ?? runtime.placeholder, y },
    params: windowParams(geometry),
    groups: Math.ceil((n * p * Math.ceil(q / PIXELS) * (k / 4)) / WORKGROUP),
    ...conv2dCost(geometry),
  });
  return y;
}

export function depthwiseGradInputVec4(
  runtime: Runtime,
  dy: GpuArray,
  w: GpuArray,
  geometry: Conv2dGeometry,
): GpuArray {
  const { n, h, w: width, c } = geometry;
  const dx = runtime.alloc([n, h, width, c]);
  runtime.dispatch({
    shader: 'depthwise_conv2d_grad_input_vec4',
    op: 'depthwise-conv2d grad-input',
    tune: { TW: PIXELS },
    bindings: { dy, w, dx },
    params: windowParams(geometry),
    groups: Math.ceil((n * h * Math.ceil(width / PIXELS) * (c / 4)) / WORKGROUP),
    ...conv2dCost(geometry),
  });
  return dx;
}

/** Invocations that keep an adapter busy: two cores with 8 lanes each, or a GPU. */
const enoughInvocations = (runtime: Runtime): number => (runtime.info.isSoftware ? 1024 : 65536);

/** dw from slices of the rows, summed in order. */
export function depthwiseGradWeightVec4(
  runtime: Runtime,
  x: GpuArray,
  dy: GpuArray,
  geometry: Conv2dGeometry,
): GpuArray {
  const { n, h, w, c, r, s, p, q } = geometry;
  const op = 'depthwise-conv2d grad-weight';
  const perSlice = r * (c / 4);
  const wanted = Math.min(n * p, Math.ceil(enoughInvocations(runtime) / perSlice));
  const rowsPerSlice = Math.ceil((n * p) / wanted);
  const slices = Math.ceil((n * p) / rowsPerSlice);
  const part = runtime.alloc(slices === 1 ? [r, s, c, 1] : [slices, r, s, c, 1]);
  runtime.dispatch({
    shader: 'depthwise_conv2d_grad_weight_vec4',
    op,
    tune: { S: s },
    bindings: { x, dy, part },
    params: {
      x_shape: [n, h, w, c],
      p,
      q,
      filter_rows: r,
      rows_per_slice: rowsPerSlice,
      slices,
      ...stepParams(geometry),
    },
    groups: Math.ceil((slices * perSlice) / WORKGROUP),
    ...conv2dCost(geometry),
  });
  if (slices === 1) return part;
  const dw = sumSlices(runtime, op, part, [r, s, c, 1]);
  part.release();
  return dw;
}
