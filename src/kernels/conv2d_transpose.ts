import { ShapeError } from '../errors.js';
import type { GpuArray } from '../gpu/array.js';
import type { Runtime } from '../gpu/runtime.js';
import { conv2dForward, conv2dGradInput, conv2dGradWeight } from './conv2d/conv2d.js';
import { conv2dCost, type Conv2dGeometry } from './conv2d/geometry.js';
import { activationCodes, type FusedActivation } from './lib/activation.js';
import { finishInPlace } from './lib/bias_activation.js';

/*
 * A transposed convolution is a convolution with its forward pass and the gradient of its input
 * exchanged. `geometry` is that of the convolution it transposes: its input [n h w c] is our output,
 * its output [n p q k] our input, and its filter [r s c/groups k] is our w.
 */

/** naive: one invocation per number. conv2d: the kernels of conv2d that suit the shape. */
export const conv2dTransposeVariants = ['naive', 'conv2d'] as const;
export type Conv2dTransposeVariant = (typeof conv2dTransposeVariants)[number];

/** y = activation(x ∗ᵀ w + bias); x [n p q k], w [r s c k], bias [c] → y [n h w c]. */
export function conv2dTransposeForward(
  runtime: Runtime,
  x: GpuArray,
  w: GpuArray,
  bias: GpuArray | undefined,
  geometry: Conv2dGeometry,
  options: {
    activation?: FusedActivation | undefined;
    variant?: Conv2dTransposeVariant | undefined;
  } = {},
): GpuArray {
  const { activation, variant = 'conv2d' } = options;
  if (!conv2dTransposeVariants.includes(variant)) {
    throw new ShapeError(
      `conv2dTranspose: there is no variant '${String(variant)}'`,
      `use ${conv2dTransposeVariants.join(' or ')}, or none to have it chosen`,
    );
  }
  const op = 'conv2d-transpose forward';
  if (variant === 'conv2d') {
    const y = conv2dGradInput(runtime, x, w, geometry);
    finishInPlace(runtime, op, y, bias, { activation });
    return y;
  }
  const { n, h, w: width, c, r, s, k, p, q } = geometry;
  const y = runtime.alloc([n, h, width, c]);
  runtime.dispatch({
    shader: 'conv2d_transpose_forward_naive',
    op,
    constants: {
      HAS_BIAS: bias !== undefined,
      ACTIVATION: activationCodes[activation ?? 'none'],
    },
    bindings: { x, w, bias: bias ?? runtime.placeholder, y },
    params: {
      x_shape: [n, p, q, k],
      y_shape: [n, h, width, c],
      filter_size: [r, s],
      stride: [geometry.strideH, geometry.strideW],
      pad: [geometry.padTop, geometry.padLeft],
      dilation: [geometry.dilationH, geometry.dilationW],
      groups: geometry.groups,
    },
    groups: Math.ceil(y.size / 64),
    ...conv2dCost(geometry),
  });
  return y;
}

/** dx: dy [n h w c] convolved with w → [n p q k]. */
export function conv2dTransposeGradInput(
  runtime: Runtime,
  dy: GpuArray,
  w: GpuArray,
  geometry: Conv2dGeometry,
): GpuArray {
  return conv2dForward(runtime, dy, w, undefined, geometry);
}

/** dw: the convolution's filter gradient, with dy in the place of its input and x of its dy. */
export function conv2dTransposeGradWeight(
  runtime: Runtime,
  x: GpuArray,
  dy: GpuArray,
  geometry: Conv2dGeometry,
): GpuArray {
  return conv2dGradWeight(runtime, dy, x, geometry);
}
