import type { GpuArray } from '../gpu/array.js';
import type { Runtime } from '../gpu/runtime.js';
import { activationCodes } from './activation.js';
import { finishInPlace, orPlaceholders, type Epilogue } from './bias_activation.js';
import { conv2dCost, type Conv2dGeometry } from './conv2d_geometry.js';
import { allTaps, flipFilter, mirrored } from './conv2d_grad_input.js';
import { sumSlices } from './sum_slices.js';

/*
 * Kernels whose workgroup is one subgroup of 8 lanes: stride 1, dilation 1, groups 1. All shapes
 * but the filter's width are parameters, so layers share pipelines: llvmpipe takes up to a second
 * to compile one.
 */

/** Output channels of a workgroup: 8 lanes with 4 each. */
const CHANNELS = 32;

export function conv2dForwardShuffle(
  runtime: Runtime,
  x: GpuArray,
  w: GpuArray,
  bias: GpuArray | undefined,
  geometry: Conv2dGeometry,
  epilogue: Epilogue,
): GpuArray {
  const y = runtime.alloc([geometry.n, geometry.p, geometry.q, geometry.k]);
  dispatchShuffle(runtime, 'conv2d forward', { x, w, bias, y }, geometry, epilogue);
  return y;
}

/** dx is the convolution of dy with the filter turned round, padded by what x was not. */
export function conv2dGradInputShuffle(
  runtime: Runtime,
  dy: GpuArray,
  w: GpuArray,
  geometry: Conv2dGeometry,
): GpuArray {
  const { n, h, w: width, c, r, s } = geometry;
  const flipped = flipFilter(runtime, w, 1, [allTaps(r), allTaps(s)])!;
  const dx = runtime.alloc([n, h, width, c]);
  const arrays = { x: dy, w: flipped, bias: undefined, y: dx };
  dispatchShuffle(runtime, 'conv2d grad-input', arrays, mirrored(geometry), {});
  flipped.release();
  return dx;
}

function dispatchShuffle(
  runtime: Runtime,
  op: string,
  arrays: { x: GpuArray; w: GpuArray; bias: GpuArray | undefined; y: GpuArray },
  geometry: Conv2dGeometry,
  { activation, residual }: Epilogue,
): void {
  const { n, k, p, q } = geometry;
  const tile = pixelTile(q);
  const isClamped = activation === 'relu' || activation === 'relu6';
  runtime.dispatch({
    shader: 'conv2d_shuffle',
    op,
    tune: { TQ: tile, S: geometry.s },
    constants: { ACTIVATION: isClamped ? 0 : activationCodes[activation ?? 'none'] },
    bindings: { ...arrays, ...orPlaceholders(runtime, { bias: arrays.bias, residual }) },
    params: {
      ...forwardParams(geometry, arrays.bias !== undefined),
      clamp_range: [0, activation === 'relu6' ? 6 : 3.4028234663852886e38],
      is_clamped: Number(isClamped),
      has_residual: Number(residual !== undefined),
    },
    groups: [Math.ceil(k / CHANNELS), p * Math.ceil(q / tile), n],
    ...conv2dCost(geometry),
  });
}

export function conv2dForwardFew(
  runtime: Runtime,
  x: GpuArray,
  w: GpuArray,
  bias: GpuArray | undefined,
  geometry: Conv2dGeometry,
  { activation, residual }: Epilogue,
): GpuArray {
  const { n, k, p, q } = geometry;
  const y = runtime.alloc([n, p, q, k]);
  const tile = pixelTile(q);
  runtime.dispatch({
    shader: 'conv2d_few',
    op: 'conv2d forward',
    tune: { TQ: tile, S: geometry.s },
    // A first layer has no shortcut beside it: a residual takes a pass of its own.
    constants: { ACTIVATION: activationCodes[(!residual && activation) || 'none'] },
    bindings: { x, w, bias: bias ?? runtime.placeholder, y },
    params: forwardParams(geometry, bias !== undefined),
    groups: [Math.ceil(k / CHANNELS), p * Math.ceil(q / tile), n],
    ...conv2dCost(geometry),
  });
  if (residual) finishInPlace(runtime, 'conv2d forward', y, undefined, { activation, residual });
  return y;
}

function forwardParams(geometry: Conv2dGeometry, hasBias: boolean) {
  const { n, h, w, c, k, p, q, padTop, padLeft } = geometry;
  return {
    x_shape: [n, h, w, c],
    y_shape: [n, p, q, k],
    pad: [padTop, padLeft],
    filter_rows: geometry.r,
    has_bias: Number(hasBias),
  };
}

export function conv2dGradWeightShuffle(
  runtime: Runtime,
  x: GpuArray,
  dy: GpuArray,
  geometry: Conv2dGeometry,
): GpuArray {
  const { c, r, s } = geometry;
  const columns = filterTile(s);
  const blocks = r * Math.ceil(s / columns) * Math.ceil(c / 8);
  return gradWeightInSlices(runtime, x, dy, geometry, {
    shader: 'conv2d_grad_weight_shuffle',
    tune: { TS: columns },
    blocks,
  });
}

/** Filter rows of a workgroup of the kernel for few channels. */
const FEW_ROWS = 13;

export function conv2dGradWeightFew(
  runtime: Runtime,
  x: GpuArray,
  dy: GpuArray,
  geometry: Conv2dGeometry,
): GpuArray {
  return gradWeightInSlices(runtime, x, dy, geometry, {
    shader: 'conv2d_grad_weight_few',
    tune: { TT: FEW_ROWS },
    blocks: Math.ceil((geometry.r * geometry.s * geometry.c) / FEW_ROWS),
  });
}

/** Workgroups that keep every processor busy; more of them cost memory for partial sums. */
const ENOUGH_GROUPS = 128;

function gradWeightInSlices(
  runtime: Runtime,
  x: GpuArray,
  dy: GpuArray,
  geometry: Conv2dGeometry,
  kernel: { shader: string; tune: Record<string, number>; blocks: number },
): GpuArray {
  const { n, h, w, c, r, s, k, p, q } = geometry;
  const op = 'conv2d grad-weight';
  const channelGroups = Math.ceil(k / CHANNELS);
  const wanted = Math.ceil(ENOUGH_GROUPS / (channelGroups * kernel.blocks));
  const rowsPerSlice = Math.ceil((n * p) / Math.min(wanted, n * p));
  const slices = Math.ceil((n * p) / rowsPerSlice);
  const part = runtime.alloc(slices === 1 ? [r, s, c, k] : [slices, r, s, c, k]);
  runtime.dispatch({
    shader: kernel.shader,
    op,
    tune: kernel.tune,
    bindings: { x, dy, part },
    params: {
      x_shape: [n, h, w, c],
      y_shape: [n, p, q, k],
      filter_size: [r, s],
      pad: [geometry.padTop, geometry.padLeft],
      rows_per_slice: rowsPerSlice,
    },
    groups: [channelGroups, kernel.blocks, slices],
    ...conv2dCost(geometry),
  });
  if (slices === 1) return part;
  const dw = sumSlices(runtime, op, part, [r, s, c, k]);
  part.release();
  return dw;
}

/** Pixels of a workgroup: 14 vec4 sums fit the registers; of these sizes the least wasteful. */
function pixelTile(q: number): number {
  let best = 14;
  for (const tile of [8, 7, 4]) {
    if (Math.ceil(q / tile) * tile < Math.ceil(q / best) * best) best = tile;
  }
  return best;
}

/** Filter columns of a workgroup: up to 5, with 8 vec4 sums each. */
function filterTile(s: number): number {
  return Math.ceil(s / Math.ceil(s / 5));
}
