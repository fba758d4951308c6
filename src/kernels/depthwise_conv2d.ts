import type { GpuArray } from '../gpu/array.js';
import { ShapeError } from '../gpu/errors.js';
import type { Runtime } from '../gpu/runtime.js';
import { activationCodes } from './activation.js';
import { finishInPlace, type Epilogue } from './bias_activation.js';
import { conv2dCost, type Conv2dGeometry } from './conv2d_geometry.js';
import { sumSlices } from './sum_slices.js';

/*
 * A depthwise convolution is a grouped one with a group for each channel: `geometry` has
 * groups = c and k = c·m. Its filters [R S C M] lie in memory as [R S 1 K] would.
 */

export type DepthwiseVariant = 'naive' | 'vec4';

/** Pixels of a row that one invocation of the vec4 kernels computes. */
const PIXELS = 4;
const WORKGROUP = 64;

/** Variants that fit: four channels at a time need one filter a channel. */
export function depthwiseVariants({ c, k }: Conv2dGeometry): DepthwiseVariant[] {
  return k === c && c % 4 === 0 ? ['naive', 'vec4'] : ['naive'];
}

/** The variant asked for, or else the chosen one. Errors: ShapeError when it does not fit. */
function resolveVariant(
  geometry: Conv2dGeometry,
  asked: DepthwiseVariant | undefined,
): DepthwiseVariant {
  const fitting = depthwiseVariants(geometry);
  if (asked && !fitting.includes(asked)) {
    throw new ShapeError(
      `depthwiseConv2d: variant '${asked}' does not fit C=${geometry.c} with ${geometry.k / geometry.c} filters a channel`,
      `use ${fitting.join(' or ')}, or none to have it chosen`,
    );
  }
  // A quarter of the loads on every adapter.
  return asked ?? fitting.at(-1)!;
}

/**
 * y = activation(x ∗ w + bias + residual), channel by channel; x [N H W C], w [R S C M] →
 * y [N P Q C·M]. A residual takes a pass of its own: networks add theirs after a 1×1 convolution.
 */
export function depthwiseConv2dForward(
  runtime: Runtime,
  x: GpuArray,
  w: GpuArray,
  bias: GpuArray | undefined,
  geometry: Conv2dGeometry,
  options: Epilogue & { variant?: DepthwiseVariant | undefined } = {},
): GpuArray {
  const { n, p, q, k } = geometry;
  const { activation, residual } = options;
  const op = 'depthwise-conv2d forward';
  const y = runtime.alloc([n, p, q, k]);
  const isVec4 = resolveVariant(geometry, options.variant) === 'vec4';
  const pieces = isVec4 ? n * p * Math.ceil(q / PIXELS) * (k / 4) : y.size;
  runtime.dispatch({
    shader: isVec4 ? 'depthwise_conv2d_forward_vec4' : 'depthwise_conv2d_forward_naive',
    op,
    ...(isVec4 ? { tune: { TQ: PIXELS } } : {}),
    constants: {
      HAS_BIAS: bias !== undefined,
      ACTIVATION: activationCodes[(!residual && activation) || 'none'],
    },
    bindings: { x, w, bias: bias ?? runtime.placeholder, y },
    params: windowParams(geometry),
    groups: Math.ceil(pieces / WORKGROUP),
    ...conv2dCost(geometry),
  });
  if (residual) finishInPlace(runtime, op, y, undefined, { activation, residual });
  return y;
}

/** dx; dy [N P Q C·M], w [R S C M] → dx [N H W C]. */
export function depthwiseConv2dGradInput(
  runtime: Runtime,
  dy: GpuArray,
  w: GpuArray,
  geometry: Conv2dGeometry,
  options: { variant?: DepthwiseVariant | undefined } = {},
): GpuArray {
  const { n, h, w: width, c } = geometry;
  const dx = runtime.alloc([n, h, width, c]);
  const isVec4 = resolveVariant(geometry, options.variant) === 'vec4';
  const pieces = isVec4 ? n * h * Math.ceil(width / PIXELS) * (c / 4) : dx.size;
  runtime.dispatch({
    shader: isVec4 ? 'depthwise_conv2d_grad_input_vec4' : 'depthwise_conv2d_grad_input_naive',
    op: 'depthwise-conv2d grad-input',
    ...(isVec4 ? { tune: { TW: PIXELS } } : {}),
    bindings: { dy, w, dx },
    params: windowParams(geometry),
    groups: Math.ceil(pieces / WORKGROUP),
    ...conv2dCost(geometry),
  });
  return dx;
}

/** dw; x [N H W C], dy [N P Q C·M] → dw [R S C M]. */
export function depthwiseConv2dGradWeight(
  runtime: Runtime,
  x: GpuArray,
  dy: GpuArray,
  geometry: Conv2dGeometry,
  options: { variant?: DepthwiseVariant | undefined } = {},
): GpuArray {
  if (resolveVariant(geometry, options.variant) === 'vec4') {
    return gradWeightInSlices(runtime, x, dy, geometry);
  }
  const { r, s, c, k } = geometry;
  const dw = runtime.alloc([r, s, c, k / c]);
  runtime.dispatch({
    shader: 'depthwise_conv2d_grad_weight_naive',
    op: 'depthwise-conv2d grad-weight',
    bindings: { x, dy, dw },
    params: windowParams(geometry),
    groups: Math.ceil(dw.size / WORKGROUP),
    ...conv2dCost(geometry),
  });
  return dw;
}

/** Invocations that keep an adapter busy: two cores with 8 lanes each, or a GPU. */
const enoughInvocations = (runtime: Runtime): number => (runtime.info.isSoftware ? 1024 : 65536);

function gradWeightInSlices(
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
      ...{ p, q, filter_rows: r, rows_per_slice: rowsPerSlice, slices },
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

function windowParams(geometry: Conv2dGeometry) {
  const { n, h, w, c, r, s, k, p, q } = geometry;
  return {
    x_shape: [n, h, w, c],
    y_shape: [n, p, q, k],
    filter_size: [r, s],
    ...stepParams(geometry),
  };
}

function stepParams(geometry: Conv2dGeometry) {
  return {
    stride: [geometry.strideH, geometry.strideW],
    pad: [geometry.padTop, geometry.padLeft],
    dilation: [geometry.dilationH, geometry.dilationW],
  };
}
