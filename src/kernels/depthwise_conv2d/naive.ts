import type { GpuArray } from '../../gpu/array.js';
import type { Runtime } from '../../gpu/runtime.js';
import { conv2dCost, type Conv2dGeometry } from '../conv2d/geometry.js';
import { activationCodes, type FusedActivation } from '../lib/activation.js';
import { windowParams } from './params.js';

/* One invocation per result: the versions to read. */

const WORKGROUP = 64;

export function depthwiseForwardNaive(
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
    shader: 'depthwise_conv2d_forward_naive',
    op: 'depthwise-conv2d forward',
    constants: {
      HAS_BIAS: bias !== undefined,
      ACTIVATION: activationCodes[activation ?? 'none'],
    },
    bindings: { x, w, bias: bias ?? runtime.placeholder, y },
    params: windowParams(geometry),
    groups: Math.ceil(y.size / WORKGROUP),
    ...conv2dCost(geometry),
  });
  return y;
}

export function depthwiseGradInputNaive(
  runtime: Runtime,
  dy: GpuArray,
  w: GpuArray,
  geometry: Conv2dGeometry,
): GpuArray {
  const { n, h, w: width, c } = geometry;
  const dx = runtime.alloc([n, h, width, c]);
  runtime.dispatch({
    shader: 'depthwise_conv2d_grad_input_naive',
    op: 'depthwise-conv2d grad-input',
    bindings: { dy, w, dx },
    params: windowParams(geometry),
    groups: Math.ceil(dx.size / WORKGROUP),
    ...conv2dCost(geometry),
  });
  return dx;
}

export function depthwiseGradWeightNaive(
  runtime: Runtime,
  x: GpuArray,
  dy: GpuArray,
  geometry: Conv2dGeometry,
): GpuArray {
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
