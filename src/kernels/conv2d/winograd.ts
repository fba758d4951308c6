import type { GpuArray } from '../../gpu/array.js';
import type { Runtime } from '../../gpu/runtime.js';
import type { ParamValues } from '../../gpu/shader.js';
import { activationCodes } from '../lib/activation.js';
import { orPlaceholders, type Epilogue } from '../lib/bias_activation.js';
import { canDeal } from '../lib/deal.js';
import { multiply } from '../matmul/matmul.js';
import { multiplyPair } from '../matmul/pair.js';
import type { Conv2dGeometry, Conv2dProblem } from './geometry.js';
import { flippedGeometry } from './phases.js';
import {
  needsBuffer,
  needsDilation1,
  needsMultiple,
  needsStride1,
  needsUngrouped,
} from './requirements.js';
import type { Addend, ForwardLauncher, GradInputLauncher } from './launchers.js';

/*
 * Winograd's minimal filtering F(F×F, 3×3) after Lavin and Gray, arXiv:1509.09308: stride 1, groups
 * 1. Of the 9 products per output and channel, F = 2 leaves 4 and F = 4 leaves 2.25. The price is
 * memory for the transformed arrays, and accuracy: numbers are added before they are multiplied, so
 * the error follows the products of those sums, which may be far larger than the output's own terms
 * (test/kernels/conv2d_winograd.test.ts computes them). The filter's gradient uses 2×2 pixels of dy at
 * a time as its filter: F(3×3, 2×2), also with 4 products.
 */

type WinogradTile = 2 | 4;

const WORKGROUP = 64;

export function winogradUnsupported(
  { geometry, info }: Conv2dProblem,
  tile: WinogradTile,
): string | null {
  const { r, s } = geometry;
  if (r !== 3 || s !== 3) return `it needs a 3×3 filter, got ${r}×${s}`;
  return (
    needsUngrouped(geometry) ??
    needsStride1(geometry) ??
    needsDilation1(geometry) ??
    needsMultiple(geometry, 'c', 4) ??
    needsMultiple(geometry, 'k', 4) ??
    needsBuffer(winogradBytes(geometry, tile), info)
  );
}

export function conv2dForwardWinograd(tile: WinogradTile): ForwardLauncher {
  return (runtime, x, w, bias, geometry, epilogue) => {
    const { c, k } = geometry;
    const filter = {
      shader: 'conv2d_winograd_operands',
      vectors: (c * k) / 4,
      params: { filter_vectors: (c * k) / 4 },
    };
    const how = { ...epilogue, tile, filter, op: 'conv2d forward' };
    return convolve(runtime, x, w, bias, geometry, how);
  };
}

/** dx is the convolution of dy with the filter flipped. */
export function conv2dGradInputWinograd(tile: WinogradTile): GradInputLauncher {
  return (runtime, dy, w, geometry, { addend }) => {
    const { c, k } = geometry;
    const filter = {
      shader: 'conv2d_winograd_operands_flipped',
      vectors: (c * k) / 4,
      params: { C4: c / 4, K: k },
    };
    const how = { residual: addend, tile, filter, op: 'conv2d grad-input' };
    return convolve(runtime, dy, w, undefined, flippedGeometry(geometry), how);
  };
}

interface Convolution extends Epilogue {
  tile: WinogradTile;
  op: string;
  /** How the filter is transformed together with x: shader, invocations and parameters. */
  filter: { shader: string; vectors: number; params: ParamValues };
}

/** y [N P Q K] from the products of transformed tiles of x [N H W C] with the transformed filter. */
function convolve(
  runtime: Runtime,
  x: GpuArray,
  w: GpuArray,
  bias: GpuArray | undefined,
  geometry: Conv2dGeometry,
  { tile, residual, activation, filter, op }: Convolution,
): GpuArray {
  const { n, p, q, c, k } = geometry;
  const tiles = tilesOf(geometry, tile);
  const u = runtime.alloc([(tile + 2) ** 2, c, k]);
  const v = runtime.alloc([(tile + 2) ** 2, n * tiles[0] * tiles[1], c]);
  const filterGroups = Math.ceil(filter.vectors / WORKGROUP);
  runtime.dispatch({
    shader: filter.shader,
    op: `${op}, operands`,
    tune: { F: tile },
    bindings: { w, u, x, v },
    params: { ...inputParams(geometry, tiles), ...filter.params, filter_groups: filterGroups },
    groups: filterGroups + inputGroups(geometry, tiles),
    bytes: 4 * (w.size + u.size + x.size + v.size),
  });
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
    groups: Math.ceil((n * tiles[0] * tiles[1] * k) / 4 / WORKGROUP),
    bytes: 4 * (m.size + y.size),
  });
  m.release();
  return y;
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
  const tiles = tilesOf(geometry, 2);
  const v = runtime.alloc([16, n * tiles[0] * tiles[1], c]);
  const e = runtime.alloc([16, n * tiles[0] * tiles[1], k]);
  const gradGroups = Math.ceil(e.size / 16 / 4 / WORKGROUP);
  runtime.dispatch({
    shader: 'conv2d_winograd_grad_operands',
    op: `${op}, operands`,
    bindings: { dy, e, x, v },
    params: {
      ...inputParams(geometry, tiles),
      y_shape: [n, p, q, k],
      grad_groups: gradGroups,
    },
    groups: gradGroups + inputGroups(geometry, tiles),
    bytes: 4 * (dy.size + e.size + x.size + v.size),
  });
  const m = multiply(runtime, v, e, { transposeA: true, op });
  v.release();
  e.release();
  const dw = runtime.alloc([3, 3, c, k]);
  const vectors = (c * k) / 4;
  runtime.dispatch({
    shader: 'conv2d_winograd_grad_filter',
    op: `${op}, filter`,
    bindings: { m_dw: m, dw },
    params: { filter_vectors: vectors },
    groups: Math.ceil(vectors / WORKGROUP),
    bytes: 4 * (m.size + dw.size),
  });
  m.release();
  return dw;
}

/** Whether both gradients use the same tiles of dy. */
function sharesTiles(geometry: Conv2dGeometry): boolean {
  const { h, w, p, q, c, k, padTop, padLeft } = geometry;
  const tiles = tilesOf(geometry, 2);
  const mostGroups = inputGroups(geometry, tiles) + inputGroups(flippedGeometry(geometry), tiles);
  const isDealt = canDeal(Math.ceil((c * k) / 4 / WORKGROUP), mostGroups);
  return h === p && w === q && padTop === 1 && padLeft === 1 && isDealt;
}

/**
 * dx by F(2×2, 3×3) and dw by F(3×3, 2×2), in half as many dispatches as separately; null if their
 * tiles differ.
 */
export function conv2dGradientsWinograd(
  runtime: Runtime,
  { x, w, dy }: { x: GpuArray; w: GpuArray; dy: GpuArray },
  geometry: Conv2dGeometry,
  { addend }: Addend,
): { dx: GpuArray; dw: GpuArray } | null {
  if (!sharesTiles(geometry)) return null;
  const op = 'conv2d gradients';
  const { n, c, k } = geometry;
  const tiles = tilesOf(geometry, 2);
  const count = n * tiles[0] * tiles[1];
  const u = runtime.alloc([16, k, c]);
  const d = runtime.alloc([16, count, k]);
  const e = runtime.alloc([16, count, k]);
  const v = runtime.alloc([16, count, c]);
  const filterGroups = Math.ceil((c * k) / 4 / WORKGROUP);
  const gradGroups = inputGroups(flippedGeometry(geometry), tiles);
  const imageGroups = gradGroups + inputGroups(geometry, tiles);
  runtime.dispatch({
    shader: 'conv2d_winograd_gradients_operands',
    op: `${op}, operands`,
    bindings: { w, u, dy, d, e, x, v },
    params: {
      ...inputParams(geometry, tiles),
      filter_groups: filterGroups,
      grad_groups: gradGroups,
      image_groups: imageGroups,
      C4: c / 4,
      K: k,
    },
    groups: filterGroups + imageGroups,
    bytes: 4 * (w.size + u.size + dy.size + d.size + e.size + x.size + v.size),
  });
  const [sumsX, sumsW] = multiplyPair(
    runtime,
    { a: d, b: u, op: 'conv2d grad-input' },
    { a: v, b: e, transposeA: true, op: 'conv2d grad-weight' },
    op,
  );
  for (const operand of [u, d, e, v]) operand.release();
  const dx = runtime.alloc(x.shape);
  const dw = runtime.alloc([3, 3, c, k]);
  const filterVectors = (c * k) / 4;
  const resultGroups = {
    filter_groups: Math.ceil(filterVectors / WORKGROUP),
    image_groups: inputGroups(geometry, tiles),
  };
  runtime.dispatch({
    shader: 'conv2d_winograd_gradients_results',
    op: `${op}, results`,
    constants: { HAS_RESIDUAL: addend !== undefined },
    bindings: { m: sumsX, residual: addend ?? runtime.placeholder, y: dx, m_dw: sumsW, dw },
    params: { y_shape: x.shape, tiles, filter_vectors: filterVectors, ...resultGroups },
    groups: resultGroups.filter_groups + resultGroups.image_groups,
    bytes: 4 * (sumsX.size + dx.size + sumsW.size + dw.size),
  });
  sumsX.release();
  sumsW.release();
  return { dx, dw };
}

type Tiles = readonly [rows: number, columns: number];

function tilesOf({ p, q }: Conv2dGeometry, tile: WinogradTile): Tiles {
  return [Math.ceil(p / tile), Math.ceil(q / tile)];
}

/** Parameters of lib/winograd_input.wgsl. */
function inputParams({ n, h, w, c, padTop, padLeft }: Conv2dGeometry, tiles: Tiles): ParamValues {
  return { x_shape: [n, h, w, c], pad: [padTop, padLeft], tiles };
}

function inputGroups({ n, c }: Conv2dGeometry, tiles: Tiles): number {
  return Math.ceil((n * tiles[0] * tiles[1] * c) / 4 / WORKGROUP);
}

/** FLOP per byte moved, on two cores: 13 GFLOP/s of products, 3 GB/s of tiles. */
const SOFTWARE_FLOPS_PER_BYTE = 4;

/**
 * Estimated speedup of F(2×2) over the direct sum on a software adapter, from the FLOP and the bytes of
 * the transformed arrays, each written and read once.
 */
export function winogradGain({ n, p, q, c, k }: Conv2dGeometry): number {
  const tiles = n * Math.ceil(p / 2) * Math.ceil(q / 2);
  const bytes = 2 * 4 * 16 * (tiles * (c + k) + c * k);
  const flops = 2 * 16 * tiles * c * k;
  return (2 * 9 * n * p * q * c * k) / (flops + SOFTWARE_FLOPS_PER_BYTE * bytes);
}

/** Bytes of the largest transformed array, forward and backward. */
function winogradBytes(geometry: Conv2dGeometry, tile: WinogradTile): number {
  const { n, h, w, c, k, p, q } = geometry;
  const tiles = n * Math.ceil(Math.max(h, p) / tile) * Math.ceil(Math.max(w, q) / tile);
  return 4 * (tile + 2) ** 2 * Math.max(tiles * Math.max(c, k), c * k);
}
