import type { GpuArray } from '../gpu/array.js';
import type { Runtime } from '../gpu/runtime.js';
import { activationCodes, type FusedActivation } from './activation.js';
import { finishInPlace, type Epilogue } from './bias_activation.js';
import { conv2dCost, type Conv2dGeometry } from './conv2d_geometry.js';
import type { Conv2dDirection } from './conv2d_fit.js';
import { depthwiseForwardTile, depthwiseGradInputTile } from './depthwise_conv2d_tile.js';
import { depthwiseVariantFor, type DepthwiseVariant } from './depthwise_conv2d_variants.js';
import { sumSlices } from './sum_slices.js';

/*
 * A depthwise convolution is a grouped one with a group for each channel: `geometry` has
 * groups = c and k = c·m. Its filters [R S C M] lie in memory as [R S 1 K] would.
 */

export * from './depthwise_conv2d_variants.js';

/** Pixels of a row that one invocation of the vec4 kernels computes. */
const PIXELS = 4;
const WORKGROUP = 64;

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
  const { residual } = options;
  const variant = pickVariant(runtime, 'forward', options.variant, geometry);
  const activation = residual ? undefined : options.activation;
  const y =
    variant === 'tile'
      ? depthwiseForwardTile(runtime, x, w, bias, geometry, { activation })
      : forwardByPieces(runtime, { x, w, bias }, geometry, variant === 'vec4', activation);
  if (residual) finishInPlace(runtime, FORWARD, y, undefined, options);
  return y;
}

const FORWARD = 'depthwise-conv2d forward';

function forwardByPieces(
  runtime: Runtime,
  { x, w, bias }: { x: GpuArray; w: GpuArray; bias: GpuArray | undefined },
  geometry: Conv2dGeometry,
  isVec4: boolean,
  activation: FusedActivation | undefined,
): GpuArray {
  const { n, p, q, k } = geometry;
  const y = runtime.alloc([n, p, q, k]);
  const pieces = isVec4 ? n * p * Math.ceil(q / PIXELS) * (k / 4) : y.size;
  runtime.dispatch({
    shader: isVec4 ? 'depthwise_conv2d_forward_vec4' : 'depthwise_conv2d_forward_naive',
    op: FORWARD,
    ...(isVec4 ? { tune: { TQ: PIXELS } } : {}),
    constants: {
      HAS_BIAS: bias !== undefined,
      ACTIVATION: activationCodes[activation ?? 'none'],
    },
    bindings: { x, w, bias: bias ?? runtime.placeholder, y },
    params: windowParams(geometry),
    groups: Math.ceil(pieces / WORKGROUP),
    ...conv2dCost(geometry),
  });
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
  const variant = pickVariant(runtime, 'gradInput', options.variant, geometry);
  if (variant === 'tile') return depthwiseGradInputTile(runtime, dy, w, geometry);
  const { n, h, w: width, c } = geometry;
  const dx = runtime.alloc([n, h, width, c]);
  const isVec4 = variant === 'vec4';
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
  const variant = pickVariant(runtime, 'gradWeight', options.variant, geometry);
  if (variant === 'vec4') return gradWeightInSlices(runtime, x, dy, geometry);
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

function pickVariant(
  runtime: Runtime,
  direction: Conv2dDirection,
  asked: DepthwiseVariant | undefined,
  geometry: Conv2dGeometry,
): DepthwiseVariant {
  return depthwiseVariantFor(direction, asked, geometry, runtime.info, runtime.choices);
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
