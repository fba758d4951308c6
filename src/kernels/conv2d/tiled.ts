import type { DeviceInfo } from '../../gpu/adapter.js';
import type { GpuArray } from '../../gpu/array.js';
import type { Runtime } from '../../gpu/runtime.js';
import type { TuneValue } from '../../gpu/shader.js';
import { activationCodes } from '../lib/activation.js';
import { orPlaceholders, type Epilogue } from '../lib/bias_activation.js';
import { sumSlices } from '../lib/sum_slices.js';
import {
  conv2dCost,
  wholeOutput,
  type Conv2dGeometry,
  type ConvolutionWindow,
} from './geometry.js';
import { gradInputByPhases } from './phases.js';
import type { Addend } from './launchers.js';

/*
 * Implicit GEMM with tiles in workgroup memory: any stride, padding, dilation and groups. Each kernel
 * exists for channel counts divisible by four (_vec4) and for any count.
 */

/** Rows, columns and depth of a workgroup's tile, and rows and columns of an invocation. */
interface Tile {
  BM: number;
  BN: number;
  BK: number;
  TM: number;
  TN: number;
}

/** 128 invocations; 8 KiB of workgroup memory. */
const MEDIUM: Tile = { BM: 64, BN: 64, BK: 16, TM: 8, TN: 4 };
/** 256 invocations with 64 sums each: a quarter fewer loads per product. 16 KiB. */
const LARGE: Tile = { BM: 128, BN: 128, BK: 16, TM: 8, TN: 8 };

/** Workgroups that fill the widest GPUs; a software adapter has a handful of processors. */
function enoughGroups(info: DeviceInfo): number {
  return info.isSoftware ? 16 : 512;
}

/** The large tile if there are still enough workgroups and no columns are wasted. */
function tileFor(rows: number, columns: number, info: DeviceInfo): Tile {
  const groups = Math.ceil(rows / LARGE.BM) * Math.ceil(columns / LARGE.BN);
  return columns % LARGE.BN === 0 && groups >= enoughGroups(info) ? LARGE : MEDIUM;
}

function dispatchTiled(
  runtime: Runtime,
  op: string,
  arrays: { x: GpuArray; w: GpuArray; bias?: GpuArray | undefined; y: GpuArray },
  { geometry, outputs, first, step }: ConvolutionWindow,
  { activation, residual }: Epilogue = {},
): void {
  const { n, h, w, c, r, s, k, p, q, groups } = geometry;
  const rows = n * outputs[0] * outputs[1];
  const tile = tileFor(rows, k / groups, runtime.info);
  runtime.dispatch({
    shader: inFours(geometry) ? 'conv2d_forward_tiled_vec4' : 'conv2d_forward_tiled',
    op,
    tune: { ...tile, XElem: arrays.x.dtype, WElem: arrays.w.dtype },
    constants: {
      HAS_BIAS: arrays.bias !== undefined,
      HAS_RESIDUAL: residual !== undefined,
      ACTIVATION: activationCodes[activation ?? 'none'],
    },
    bindings: { ...arrays, ...orPlaceholders(runtime, { bias: arrays.bias, residual }) },
    params: {
      x_shape: [n, h, w, c],
      y_shape: [n, p, q, k],
      filter_size: [r, s],
      stride: [geometry.strideH, geometry.strideW],
      pad: [geometry.padTop, geometry.padLeft],
      dilation: [geometry.dilationH, geometry.dilationW],
      ...{ outputs, first, step, groups },
    },
    groups: [
      ...folded(Math.ceil(rows / tile.BM), runtime.info),
      groups * Math.ceil(k / groups / tile.BN),
    ],
    ...conv2dCost(
      { ...geometry, p: outputs[0], q: outputs[1] },
      { x: arrays.x.dtype, w: arrays.w.dtype },
    ),
  });
}

export function conv2dForwardTiled(
  runtime: Runtime,
  x: GpuArray,
  w: GpuArray,
  bias: GpuArray | undefined,
  geometry: Conv2dGeometry,
  epilogue: Epilogue,
): GpuArray {
  const { n, p, q, k } = geometry;
  const y = runtime.alloc([n, p, q, k]);
  dispatchTiled(runtime, 'conv2d forward', { x, w, bias, y }, wholeOutput(geometry), epilogue);
  return y;
}

export function conv2dGradInputTiled(
  runtime: Runtime,
  dy: GpuArray,
  w: GpuArray,
  geometry: Conv2dGeometry,
  { addend }: Addend,
): GpuArray {
  return gradInputByPhases(runtime, dy, w, geometry, (arrays, phase) =>
    dispatchTiled(runtime, 'conv2d grad-input', arrays, phase, { residual: addend }),
  );
}

/** Limit on the memory of partial sums; beyond it there are fewer slices. */
const MOST_PARTIAL_BYTES = 64 * 2 ** 20;

export function conv2dGradWeightTiled(
  runtime: Runtime,
  x: GpuArray,
  dy: GpuArray,
  geometry: Conv2dGeometry,
): GpuArray {
  const { r, s, c, k, groups } = geometry;
  const tile = tileFor((r * s * c) / groups, k / groups, runtime.info);
  const isVec4 = inFours(geometry);
  return gradWeightBySlices(runtime, x, dy, geometry, {
    shader: isVec4 ? 'conv2d_grad_weight_tiled_vec4' : 'conv2d_grad_weight_tiled',
    tune: { ...tile, XElem: x.dtype },
    ...{ tile, isVec4 },
  });
}

/** A kernel that computes a tile of dw for one slice of the pixels. */
interface GradWeightKernel {
  shader: string;
  tune: Record<string, TuneValue>;
  tile: Pick<Tile, 'BM' | 'BN' | 'BK'>;
  /** Whether slices begin at whole vectors of four. */
  isVec4: boolean;
}

/** dw from enough slices of the pixels to fill the device, summed in a second pass. */
export function gradWeightBySlices(
  runtime: Runtime,
  x: GpuArray,
  dy: GpuArray,
  geometry: Conv2dGeometry,
  { shader, tune, tile, isVec4 }: GradWeightKernel,
): GpuArray {
  const { n, h, w, c, r, s, k, p, q, groups } = geometry;
  const op = 'conv2d grad-weight';
  const shape = [r, s, c / groups, k];
  const rows = (r * s * c) / groups;
  const grid = [Math.ceil(rows / tile.BM), groups * Math.ceil(k / groups / tile.BN)] as const;
  // Whole vectors for the second pass; the padding after the last weight is never read.
  const sliceSize = Math.ceil((rows * k) / 4) * 4;
  const pixelsPerSlice = slicePixels(geometry, grid[0] * grid[1], sliceSize, tile, runtime.info);
  const slices = Math.ceil((n * p * q) / pixelsPerSlice);
  const part = runtime.alloc(slices === 1 ? shape : [slices, sliceSize]);
  runtime.dispatch({
    ...{ shader, op, tune },
    bindings: { x, dy, part },
    params: {
      x_shape: [n, h, w, c],
      y_shape: [n, p, q, k],
      filter_size: [r, s],
      stride: [geometry.strideH, geometry.strideW],
      pad: [geometry.padTop, geometry.padLeft],
      dilation: [geometry.dilationH, geometry.dilationW],
      groups,
      pixels_per_slice: pixelsPerSlice,
      slice_stride: isVec4 ? sliceSize / 4 : sliceSize,
    },
    groups: [...grid, slices],
    ...conv2dCost(geometry, { x: x.dtype }),
  });
  if (slices === 1) return part;
  const dw = sumSlices(runtime, op, part, shape);
  part.release();
  return dw;
}

/**
 * Pixels whose products one workgroup sums: the sum over all N·P·Q of them is split over enough
 * workgroups to fill the device, each with at least eight steps of work.
 */
function slicePixels(
  { n, p, q }: Conv2dGeometry,
  groupsOfOneSlice: number,
  sliceSize: number,
  tile: Pick<Tile, 'BK'>,
  info: DeviceInfo,
): number {
  const pixels = n * p * q;
  const slices = Math.max(
    1,
    Math.min(
      Math.ceil(enoughGroups(info) / groupsOfOneSlice),
      Math.floor(pixels / (8 * tile.BK)),
      Math.floor(MOST_PARTIAL_BYTES / (4 * sliceSize)),
    ),
  );
  return Math.ceil(pixels / slices / tile.BK) * tile.BK;
}

function inFours({ c, k, groups }: Conv2dGeometry): boolean {
  return (c / groups) % 4 === 0 && (k / groups) % 4 === 0;
}

/** Workgroups in one dimension, or folded into two if there are too many. */
export function folded(groups: number, info: DeviceInfo): [number, number] {
  const most = info.limits.maxComputeWorkgroupsPerDimension ?? 65535;
  if (groups <= most) return [groups, 1];
  const x = Math.ceil(Math.sqrt(groups));
  return [x, Math.ceil(groups / x)];
}
