import type { GpuArray } from '../gpu/array.js';
import type { Runtime } from '../gpu/runtime.js';
import { accumulate } from './accumulate.js';
import type { Epilogue } from './bias_activation.js';
import type { Conv2dGeometry } from './conv2d_geometry.js';
import { multiply } from './matmul.js';
import { multiplyPair } from './matmul_pair.js';
import { pool2dBackward, pool2dForward, type Pool2dGeometry } from './pool2d.js';
import { reshaped } from './reduce.js';

/*
 * A 1×1 convolution without padding is a matrix product: with N·P·Q pixels as rows, y = x·w,
 * dx = dy·wᵀ and dw = xᵀ·dy. With stride 1 nothing moves; the arrays are only seen under another
 * shape. Otherwise the pixels that are met are picked first, or spread after, which is what pooling
 * with windows of one pixel does.
 */

export function conv2dForwardMatmul(
  runtime: Runtime,
  x: GpuArray,
  w: GpuArray,
  bias: GpuArray | undefined,
  geometry: Conv2dGeometry,
  { activation, residual }: Epilogue,
): GpuArray {
  const { n, p, q, c, k } = geometry;
  const op = 'conv2d forward';
  const y = withViews([rowsOf(runtime, x, geometry, op), w.view([c, k])], (pixels, filter) =>
    multiply(runtime, pixels, filter, { bias, residual, activation, op }),
  );
  return reshaped(y, [n, p, q, k]);
}

export function conv2dGradInputMatmul(
  runtime: Runtime,
  dy: GpuArray,
  w: GpuArray,
  geometry: Conv2dGeometry,
  { residual }: Epilogue,
): GpuArray {
  const { n, p, q, c, k } = geometry;
  const op = 'conv2d grad-input';
  const added = meetsAll(geometry) ? residual : undefined;
  const dx = withViews([dy.view([n * p * q, k]), w.view([c, k])], (pixels, filter) =>
    multiply(runtime, pixels, filter, { transposeB: true, residual: added, op }),
  );
  return toImages(runtime, dx, geometry, residual);
}

export function conv2dGradWeightMatmul(
  runtime: Runtime,
  x: GpuArray,
  dy: GpuArray,
  geometry: Conv2dGeometry,
): GpuArray {
  const { n, p, q, c, k } = geometry;
  const op = 'conv2d grad-weight';
  const rows = [rowsOf(runtime, x, geometry, op), dy.view([n * p * q, k])] as const;
  const dw = withViews(rows, (pixels, errors) =>
    multiply(runtime, pixels, errors, { transposeA: true, op }),
  );
  return reshaped(dw, [1, 1, c, k]);
}

/** dx and dw, their products in one dispatch where that can be. */
export function conv2dGradientsMatmul(
  runtime: Runtime,
  { x, w, dy }: { x: GpuArray; w: GpuArray; dy: GpuArray },
  geometry: Conv2dGeometry,
  { residual }: Epilogue,
): { dx: GpuArray; dw: GpuArray } {
  const { n, p, q, c, k } = geometry;
  const pixels = rowsOf(runtime, x, geometry, 'conv2d grad-weight');
  const errors = dy.view([n * p * q, k]);
  const filter = w.view([c, k]);
  const added = meetsAll(geometry) ? residual : undefined;
  const [dx, dw] = multiplyPair(
    runtime,
    { a: errors, b: filter, transposeB: true, residual: added, op: 'conv2d grad-input' },
    { a: pixels, b: errors, transposeA: true, op: 'conv2d grad-weight' },
    'conv2d gradients',
  );
  for (const view of [pixels, errors, filter]) view.release();
  return {
    dx: toImages(runtime, dx, geometry, residual),
    dw: reshaped(dw, [1, 1, c, k]),
  };
}

/** dx of whole images, from that of the pixels that are met, [N·P·Q C]; the addend is in where these are all. */
function toImages(
  runtime: Runtime,
  dx: GpuArray,
  geometry: Conv2dGeometry,
  addend: GpuArray | undefined,
): GpuArray {
  const { n, h, w, c } = geometry;
  if (meetsAll(geometry)) return reshaped(dx, [n, h, w, c]);
  const spread = pool2dBackward(runtime, dx, undefined, onePixel(geometry), {
    op: 'conv2d grad-input, pixels',
  });
  dx.release();
  if (addend) accumulate(runtime, spread, addend);
  return spread;
}

function meetsAll({ strideH, strideW }: Conv2dGeometry): boolean {
  return strideH === 1 && strideW === 1;
}

/** The pixels of x that the convolution meets, [N·P·Q C]; the caller owns the reference. */
function rowsOf(runtime: Runtime, x: GpuArray, geometry: Conv2dGeometry, op: string): GpuArray {
  const { n, p, q, c } = geometry;
  if (meetsAll(geometry)) return x.view([n * p * q, c]);
  const { y } = pool2dForward(runtime, x, onePixel(geometry), { op: `${op}, pixels` });
  return reshaped(y, [n * p * q, c]);
}

/** The average of each window, which is its only pixel. */
function onePixel(geometry: Conv2dGeometry): Pool2dGeometry {
  return { ...geometry, kind: 'avg', countIncludePad: false };
}

function withViews(
  [a, b]: readonly [GpuArray, GpuArray],
  use: (a: GpuArray, b: GpuArray) => GpuArray,
): GpuArray {
  const result = use(a, b);
  a.release();
  b.release();
  return result;
}
