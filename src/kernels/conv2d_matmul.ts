import type { GpuArray } from '../gpu/array.js';
import type { Runtime } from '../gpu/runtime.js';
import type { Epilogue } from './bias_activation.js';
import type { Conv2dGeometry } from './conv2d_geometry.js';
import { multiply } from './matmul.js';
import { reshaped } from './reduce.js';

/*
 * A 1×1 convolution of stride 1 without padding is a matrix product as it stands: with N·H·W
 * pixels as rows, y = x·w, dx = dy·wᵀ and dw = xᵀ·dy. Nothing moves; the arrays are only seen
 * under another shape.
 */

export function conv2dForwardMatmul(
  runtime: Runtime,
  x: GpuArray,
  w: GpuArray,
  bias: GpuArray | undefined,
  { n, p, q, c, k }: Conv2dGeometry,
  { activation, residual }: Epilogue,
): GpuArray {
  const y = withViews([x.view([n * p * q, c]), w.view([c, k])], (pixels, filter) =>
    multiply(runtime, pixels, filter, { bias, residual, activation, op: 'conv2d forward' }),
  );
  return reshaped(y, [n, p, q, k]);
}

export function conv2dGradInputMatmul(
  runtime: Runtime,
  dy: GpuArray,
  w: GpuArray,
  { n, h, w: width, c, k }: Conv2dGeometry,
  { residual }: Epilogue,
): GpuArray {
  const dx = withViews([dy.view([n * h * width, k]), w.view([c, k])], (pixels, filter) =>
    multiply(runtime, pixels, filter, { transposeB: true, residual, op: 'conv2d grad-input' }),
  );
  return reshaped(dx, [n, h, width, c]);
}

export function conv2dGradWeightMatmul(
  runtime: Runtime,
  x: GpuArray,
  dy: GpuArray,
  { n, p, q, c, k }: Conv2dGeometry,
): GpuArray {
  const dw = withViews([x.view([n * p * q, c]), dy.view([n * p * q, k])], (pixels, errors) =>
    multiply(runtime, pixels, errors, { transposeA: true, op: 'conv2d grad-weight' }),
  );
  return reshaped(dw, [1, 1, c, k]);
}

function withViews(
  [a, b]: [GpuArray, GpuArray],
  use: (a: GpuArray, b: GpuArray) => GpuArray,
): GpuArray {
  const result = use(a, b);
  a.release();
  b.release();
  return result;
}
