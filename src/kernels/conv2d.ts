import type { GpuArray } from '../gpu/array.js';
import type { Runtime } from '../gpu/runtime.js';
import { activationCodes, type FusedActivation } from './activation.js';
import type { Conv2dGeometry } from './conv2d_geometry.js';

const WORKGROUP = 64;

export type Conv2dVariant = 'naive';

/** y = activation(x ∗ w + bias); x [N H W C], w [R S C/groups K], bias [K] → y [N P Q K]. */
export function conv2dForward(
  runtime: Runtime,
  x: GpuArray,
  w: GpuArray,
  bias: GpuArray | undefined,
  geometry: Conv2dGeometry,
  options: { activation?: FusedActivation | undefined; variant?: Conv2dVariant } = {},
): GpuArray {
  const { n, p, q, k } = geometry;
  const y = runtime.alloc([n, p, q, k]);
  runtime.dispatch({
    shader: 'conv2d_forward_naive',
    op: 'conv2d forward',
    constants: {
      HAS_BIAS: bias !== undefined,
      ACTIVATION: activationCodes[options.activation ?? 'none'],
    },
    bindings: { x, w, bias: bias ?? runtime.placeholder, y },
    params: naiveParams(geometry),
    groups: Math.ceil(y.size / WORKGROUP),
    ...conv2dCost(geometry),
  });
  return y;
}

/** dx = dy ∗ᵀ w; dy [N P Q K], w [R S C/groups K] → dx [N H W C]. */
export function conv2dGradInput(
  runtime: Runtime,
  dy: GpuArray,
  w: GpuArray,
  geometry: Conv2dGeometry,
  _options: { variant?: Conv2dVariant } = {},
): GpuArray {
  const dx = runtime.alloc([geometry.n, geometry.h, geometry.w, geometry.c]);
  runtime.dispatch({
    shader: 'conv2d_grad_input_naive',
    op: 'conv2d grad-input',
    bindings: { dy, w, dx },
    params: naiveParams(geometry),
    groups: Math.ceil(dx.size / WORKGROUP),
    ...conv2dCost(geometry),
  });
  return dx;
}

/** dw = x ∗ dy, summed over images and positions; x [N H W C], dy [N P Q K] → dw [R S C/groups K]. */
export function conv2dGradWeight(
  runtime: Runtime,
  x: GpuArray,
  dy: GpuArray,
  geometry: Conv2dGeometry,
  _options: { variant?: Conv2dVariant } = {},
): GpuArray {
  const { r, s, c, k, groups } = geometry;
  const dw = runtime.alloc([r, s, c / groups, k]);
  runtime.dispatch({
    shader: 'conv2d_grad_weight_naive',
    op: 'conv2d grad-weight',
    bindings: { x, dy, dw },
    params: naiveParams(geometry),
    groups: Math.ceil(dw.size / WORKGROUP),
    ...conv2dCost(geometry),
  });
  return dw;
}

/** FLOP of one direction, and bytes when each array is touched once. */
export function conv2dCost(geometry: Conv2dGeometry): { flops: number; bytes: number } {
  const { n, h, w, c, r, s, k, p, q, groups } = geometry;
  return {
    flops: 2 * n * p * q * k * r * s * (c / groups),
    bytes: 4 * (n * h * w * c + r * s * (c / groups) * k + n * p * q * k),
  };
}

function naiveParams(geometry: Conv2dGeometry): Record<string, readonly number[]> {
  const { n, h, w, c, r, s, k, p, q, groups } = geometry;
  return {
    x_shape: [n, h, w, c],
    w_shape: [r, s, c / groups, k],
    y_shape: [n, p, q, k],
    stride: [geometry.strideH, geometry.strideW],
    pad: [geometry.padTop, geometry.padLeft],
    dilation: [geometry.dilationH, geometry.dilationW],
  };
}
