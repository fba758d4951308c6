import type { GpuArray } from '../../gpu/array.js';
import type { Runtime } from '../../gpu/runtime.js';
import type { Conv2dDirection, Conv2dGeometry } from '../conv2d/geometry.js';
import { finishInPlace, type Epilogue } from '../lib/bias_activation.js';
import { selectDepthwiseVariant } from './choose.js';
import { depthwiseVariants, type DepthwiseVariant } from './variants.js';

/*
 * A depthwise convolution is a grouped one with one group per channel: `geometry` has groups = c and k
 * = c·m. Its filter [R S C M] has the same memory layout as [R S 1 K].
 */

interface Options {
  variant?: DepthwiseVariant | undefined;
}

/**
 * y = activation(x ∗ w + bias + residual), channel by channel; x [N H W C], w [R S C M] →
 * y [N P Q C·M]. A residual is added in a separate pass, since networks add theirs after a 1×1
 * convolution.
 */
export function depthwiseConv2dForward(
  runtime: Runtime,
  x: GpuArray,
  w: GpuArray,
  bias: GpuArray | undefined,
  geometry: Conv2dGeometry,
  options: Epilogue & Options = {},
): GpuArray {
  const { residual } = options;
  const activation = residual ? undefined : options.activation;
  const variant = select(runtime, 'forward', options, geometry);
  const y = depthwiseVariants[variant].forward(runtime, x, w, bias, geometry, activation);
  if (residual) finishInPlace(runtime, 'depthwise-conv2d forward', y, undefined, options);
  return y;
}

/** dx; dy [N P Q C·M], w [R S C M] → dx [N H W C]. */
export function depthwiseConv2dGradInput(
  runtime: Runtime,
  dy: GpuArray,
  w: GpuArray,
  geometry: Conv2dGeometry,
  options: Options = {},
): GpuArray {
  const variant = select(runtime, 'gradInput', options, geometry);
  return depthwiseVariants[variant].gradInput(runtime, dy, w, geometry);
}

/** dw; x [N H W C], dy [N P Q C·M] → dw [R S C M]. */
export function depthwiseConv2dGradWeight(
  runtime: Runtime,
  x: GpuArray,
  dy: GpuArray,
  geometry: Conv2dGeometry,
  options: Options = {},
): GpuArray {
  const variant = select(runtime, 'gradWeight', options, geometry);
  return depthwiseVariants[variant].gradWeight!(runtime, x, dy, geometry);
}

function select(
  { info, choices }: Runtime,
  direction: Conv2dDirection,
  { variant }: Options,
  geometry: Conv2dGeometry,
): DepthwiseVariant {
  return selectDepthwiseVariant(variant, { direction, geometry, info }, choices);
}
