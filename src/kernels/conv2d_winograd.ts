import type { GpuArray } from '../gpu/array.js';
import type { Runtime } from '../gpu/runtime.js';
import { activationCodes } from './activation.js';
import { orPlaceholders, type Epilogue } from './bias_activation.js';
import type { Conv2dGeometry } from './conv2d_geometry.js';
import { mirrored } from './conv2d_grad_input.js';
import { multiply } from './matmul.js';

/*
 * Winograd's minimal filtering F(F×F, 3×3) after Lavin and Gray, arXiv:1509.09308: stride 1, groups
 * 1. Of the 9 products an output and channel need, F = 2 leaves 4 and F = 4 leaves 2.25. The price is
 * memory for the transformed arrays, and accuracy: numbers are added before they are multiplied, so
 * the error follows the products of those sums, which may be far larger than the output's own terms
 * (test/kernels/conv2d_winograd.test.ts computes them). The filter's gradient has dy as its filter, two
 * by two pixels of it at a time: F(3×3, 2×2), with 4 products as well.
 */

export type WinogradTile = 2 | 4;

export function conv2dForwardWinograd(
  runtime: Runtime,
  x: GpuArray,
  w: GpuArray,
  bias: GpuArray | undefined,
  geometry: Conv2dGeometry,
  options: Epilogue & { tile: WinogradTile },
): GpuArray {
  const op = 'conv2d forward';
  const u = transformFilter(runtime, w, options.tile, op);
  return byTransformed(runtime, x, u, bias, geometry, { ...options, op });
}

/** y from a transformed filter u, which it takes. */
function byTransformed(
  runtime: Runtime,
  x: GpuArray,
  u: GpuArray,
  bias: GpuArray | undefined,
  geometry: Conv2dGeometry,
  { tile, residual, activation, op }: Epilogue & { tile: WinogradTile; op: string },
): GpuArray {
  const { n, p, q, k } = geometry;
  const tiles = [Math.ceil(p / tile), Math.ceil(q / tile)] as const;
  const v = transformInput(runtime, x, geometry, { tile, tiles, op });
  const m = multiply(runtime, v, u, { op });
  u.release();
  v.release();
  const y = runtime.alloc([n, p, q, k]);
  runtime.dispatch({
    shader: 'conv2d_winograd_output',
    op: `${op}, output`,
    tune: { F: tile },
    constants: {
      HAS_BIAS: bias !== undefined,
      HAS_RESIDUAL: residual !== undefined,
      ACTIVATION: activationCodes[activation ?? 'none'],
    },
    bindings: { m, ...orPlaceholders(runtime, { bias, residual }), y },
    params: { y_shape: [n, p, q, k], tiles },
    groups: Math.ceil((n * tiles[0] * tiles[1] * k) / 4 / 64),
    bytes: 4 * (m.size + y.size),
  });
  m.release();
  return y;
}

/** dx is the convolution of dy with the filter turned round. */
export function conv2dGradInputWinograd(
  runtime: Runtime,
  dy: GpuArray,
  w: GpuArray,
  geometry: Conv2dGeometry,
  { tile, residual }: Epilogue & { tile: WinogradTile },
): GpuArray {
  const op = 'conv2d grad-input';
  const { c, k } = geometry;
  const u = runtime.alloc([(tile + 2) ** 2, k, c]);
  runtime.dispatch({
    shader: 'conv2d_winograd_filter_turned',
    op: `${op}, filter`,
    tune: { F: tile },
    bindings: { w, u },
    params: { C4: c / 4, K4: k / 4 },
    groups: Math.ceil((c * k) / 16 / 64),
    bytes: 4 * (w.size + u.size),
  });
  return byTransformed(runtime, dy, u, undefined, mirrored(geometry), { tile, residual, op });
}

/** dw by F(3×3, 2×2): 16 products of transposed tiles of x with tiles of dy. */
export function conv2dGradWeightWinograd(
  runtime: Runtime,
  x: GpuArray,
  dy: GpuArray,
  geometry: Conv2dGeometry,
): GpuArray {
  const op = 'conv2d grad-weight';
  const { n, p, q, c, k } = geometry;
  const tiles = [Math.ceil(p / 2), Math.ceil(q / 2)] as const;
  const v = transformInput(runtime, x, geometry, { tile: 2, tiles, op });
  const e = runtime.alloc([16, n * tiles[0] * tiles[1], k]);
  runtime.dispatch({
    shader: 'conv2d_winograd_grad_tiles',
    op: `${op}, tiles`,
    bindings: { dy, e },
    params: { y_shape: [n, p, q, k], tiles },
    groups: Math.ceil(e.size / 16 / 4 / 64),
    bytes: 4 * (dy.size + e.size),
  });
  const m = multiply(runtime, v, e, { transposeA: true, op });
  v.release();
  e.release();
  const dw = runtime.alloc([3, 3, c, k]);
  const vectors = (c * k) / 4;
  runtime.dispatch({
    shader: 'conv2d_winograd_grad_filter',
    op: `${op}, filter`,
    bindings: { m, dw },
    params: { vectors },
    groups: Math.ceil(vectors / 64),
    bytes: 4 * (m.size + dw.size),
  });
  m.release();
  return dw;
}

/** w [3 3 C K] → u [T² C K]. */
function transformFilter(runtime: Runtime, w: GpuArray, tile: WinogradTile, op: string): GpuArray {
  const [, , c, k] = w.shape as [number, number, number, number];
  const u = runtime.alloc([(tile + 2) ** 2, c, k]);
  const vectors = (c * k) / 4;
  runtime.dispatch({
    shader: 'conv2d_winograd_filter',
    op: `${op}, filter`,
    tune: { F: tile },
    bindings: { w, u },
    params: { vectors },
    groups: Math.ceil(vectors / 64),
    bytes: 4 * (w.size + u.size),
  });
  return u;
}

/** x [N H W C] → v [T² tiles C]. */
function transformInput(
  runtime: Runtime,
  x: GpuArray,
  { n, h, w, c, padTop, padLeft }: Conv2dGeometry,
  { tile, tiles, op }: { tile: WinogradTile; tiles: readonly [number, number]; op: string },
): GpuArray {
  const v = runtime.alloc([(tile + 2) ** 2, n * tiles[0] * tiles[1], c]);
  runtime.dispatch({
    shader: 'conv2d_winograd_input',
    op: `${op}, input`,
    tune: { F: tile },
    bindings: { x, v },
    params: { x_shape: [n, h, w, c], pad: [padTop, padLeft], tiles },
    groups: Math.ceil((n * tiles[0] * tiles[1] * c) / 4 / 64),
    bytes: 4 * (x.size + v.size),
  });
  return v;
}

/** FLOP that two cores do while they move a byte: 13 GFLOP/s of products, 3 GB/s of tiles. */
const SOFTWARE_FLOPS_PER_BYTE = 4;

/**
 * How many times as long as F(2×2)'s the products of the plain sum should take on a software
 * adapter, by FLOP and by the bytes of transformed arrays, each written and read once.
 */
export function winogradGain({ n, p, q, c, k }: Conv2dGeometry): number {
  const tiles = n * Math.ceil(p / 2) * Math.ceil(q / 2);
  const bytes = 2 * 4 * 16 * (tiles * (c + k) + c * k);
  const flops = 2 * 16 * tiles * c * k;
  return (2 * 9 * n * p * q * c * k) / (flops + SOFTWARE_FLOPS_PER_BYTE * bytes);
}

/** Bytes of the largest transformed array, forward and backward. */
export function winogradBytes(geometry: Conv2dGeometry, tile: WinogradTile): number {
  const { n, h, w, c, k, p, q } = geometry;
  const tiles = n * Math.ceil(Math.max(h, p) / tile) * Math.ceil(Math.max(w, q) / tile);
  return 4 * (tile + 2) ** 2 * Math.max(tiles * Math.max(c, k), c * k);
}
