import type { GpuArray } from '../../gpu/array.js';
import type { Runtime } from '../../gpu/runtime.js';
import { addInPlace } from '../lib/accumulate.js';
import type { Epilogue } from '../lib/bias_activation.js';
import { multiply } from '../matmul/matmul.js';
import { multiplyPair } from '../matmul/pair.js';
import { pool2dBackward, pool2dForward, type Pool2dGeometry } from '../pool2d.js';
import { reshaped } from '../reduce.js';
import type { Conv2dGeometry, Conv2dProblem } from './geometry.js';
import { needsStride1, needsUngrouped } from './requirements.js';
import type { Addend } from './launchers.js';

/*
 * A 1×1 convolution without padding is a matmul: with N·P·Q pixels as rows, y = x·w, dx = dy·wᵀ and dw
 * = xᵀ·dy. With stride 1 the arrays are only reshaped. Otherwise every stride-th pixel is selected
 * first, or spread afterwards, by pooling with 1×1 windows.
 */

export function matmulUnsupported({ direction, geometry, types }: Conv2dProblem): string | null {
  const { r, s, padTop, padBottom, padLeft, padRight } = geometry;
  if (r !== 1 || s !== 1) return `it needs a 1×1 filter, got ${r}×${s}`;
  if (padTop + padBottom + padLeft + padRight > 0) return 'it needs an image without padding';
  // Pooling reads f32.
  const isSelected = direction !== 'gradInput' && types.x !== 'f32';
  return needsUngrouped(geometry) ?? (isSelected ? needsStride1(geometry) : null);
}

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
  { addend }: Addend,
): GpuArray {
  const { n, p, q, c, k } = geometry;
  const op = 'conv2d grad-input';
  const residual = meetsAll(geometry) ? addend : undefined;
  const dx = withViews([dy.view([n * p * q, k]), w.view([c, k])], (pixels, filter) =>
    multiply(runtime, pixels, filter, { transposeB: true, residual, op }),
  );
  return toImages(runtime, dx, geometry, addend);
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

/** dx and dw, in one dispatch if possible. */
export function conv2dGradientsMatmul(
  runtime: Runtime,
  { x, w, dy }: { x: GpuArray; w: GpuArray; dy: GpuArray },
  geometry: Conv2dGeometry,
  { addend }: Addend,
): { dx: GpuArray; dw: GpuArray } {
  const { n, p, q, c, k } = geometry;
  const pixels = rowsOf(runtime, x, geometry, 'conv2d grad-weight');
  const errors = dy.view([n * p * q, k]);
  const filter = w.view([c, k]);
  const residual = meetsAll(geometry) ? addend : undefined;
  const [dx, dw] = multiplyPair(
    runtime,
    { a: errors, b: filter, transposeB: true, residual, op: 'conv2d grad-input' },
    { a: pixels, b: errors, transposeA: true, op: 'conv2d grad-weight' },
    'conv2d gradients',
  );
  for (const view of [pixels, errors, filter]) view.release();
  return {
    dx: toImages(runtime, dx, geometry, addend),
    dw: reshaped(dw, [1, 1, c, k]),
  };
}

/**
 * dx of whole images from that of the selected pixels, [N·P·Q C]; with stride 1 it already includes the
 * addend.
 */
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
  return addInPlace(runtime, spread, addend);
}

function meetsAll({ strideH, strideW }: Conv2dGeometry): boolean {
  return strideH === 1 && strideW === 1;
}

/** The pixels of x that the convolution reads, [N·P·Q C]; the caller owns the reference. */
function rowsOf(runtime: Runtime, x: GpuArray, geometry: Conv2dGeometry, op: string): GpuArray {
  const { n, p, q, c } = geometry;
  if (meetsAll(geometry)) return x.view([n * p * q, c]);
  const { y } = pool2dForward(runtime, x, onePixel(geometry), { op: `${op}, pixels` });
  return reshaped(y, [n * p * q, c]);
}

/** Average pooling with 1×1 windows. */
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
