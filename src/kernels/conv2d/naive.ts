import type { GpuArray } from '../../gpu/array.js';
import type { Runtime } from '../../gpu/runtime.js';
import { addInPlace } from '../lib/accumulate.js';
import { activationCodes } from '../lib/activation.js';
import { orPlaceholders, type Epilogue } from '../lib/bias_activation.js';
import { conv2dCost, type Conv2dGeometry } from './geometry.js';
import type { Addend } from './launchers.js';

/* One invocation per result, in the order of the formula: the version of each direction to read. */

const WORKGROUP = 64;

export function conv2dForwardNaive(
  runtime: Runtime,
  x: GpuArray,
  w: GpuArray,
  bias: GpuArray | undefined,
  geometry: Conv2dGeometry,
  { activation, residual }: Epilogue,
): GpuArray {
  const { n, p, q, k } = geometry;
  const y = runtime.alloc([n, p, q, k]);
  runtime.dispatch({
    shader: 'conv2d_forward_naive',
    op: 'conv2d forward',
    tune: { XElem: x.dtype, WElem: w.dtype },
    constants: {
      HAS_BIAS: bias !== undefined,
      HAS_RESIDUAL: residual !== undefined,
      ACTIVATION: activationCodes[activation ?? 'none'],
    },
    bindings: { x, w, ...orPlaceholders(runtime, { bias, residual }), y },
    params: naiveParams(geometry),
    groups: Math.ceil(y.size / WORKGROUP),
    ...conv2dCost(geometry, { x: x.dtype, w: w.dtype }),
  });
  return y;
}

export function conv2dGradInputNaive(
  runtime: Runtime,
  dy: GpuArray,
  w: GpuArray,
  geometry: Conv2dGeometry,
  { addend }: Addend,
): GpuArray {
  const dx = runtime.alloc([geometry.n, geometry.h, geometry.w, geometry.c]);
  runtime.dispatch({
    shader: 'conv2d_grad_input_naive',
    op: 'conv2d grad-input',
    tune: { WElem: w.dtype },
    bindings: { dy, w, dx },
    params: naiveParams(geometry),
    groups: Math.ceil(dx.size / WORKGROUP),
    ...conv2dCost(geometry, { w: w.dtype }),
  });
  return addInPlace(runtime, dx, addend);
}

export function conv2dGradWeightNaive(
  runtime: Runtime,
  x: GpuArray,
  dy: GpuArray,
  geometry: Conv2dGeometry,
): GpuArray {
  const { r, s, c, k, groups } = geometry;
  const dw = runtime.alloc([r, s, c / groups, k]);
  runtime.dispatch({
    shader: 'conv2d_grad_weight_naive',
    op: 'conv2d grad-weight',
    tune: { XElem: x.dtype },
    bindings: { x, dy, dw },
    params: naiveParams(geometry),
    groups: Math.ceil(dw.size / WORKGROUP),
    ...conv2dCost(geometry, { x: x.dtype }),
  });
  return dw;
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
