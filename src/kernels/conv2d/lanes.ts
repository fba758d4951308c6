import type { GpuArray } from '../../gpu/array.js';
import type { Runtime } from '../../gpu/runtime.js';
import { sumSlices } from '../lib/sum_slices.js';
import { conv2dCost, gcd, type Conv2dGeometry, type Conv2dProblem } from './geometry.js';
import { needsUngrouped } from './requirements.js';

/*
 * Shared by kernels whose workgroup is one subgroup of 8 lanes. Most sizes are parameters, so that
 * layers share pipelines: llvmpipe takes up to a second to compile one.
 */

/** The kernels use the index in a workgroup of 8 as the lane, so they need subgroups of exactly 8. */
export function needsLanes({ geometry, info }: Conv2dProblem): string | null {
  if (!info.features.includes('subgroups')) return 'it needs the feature subgroups';
  if (info.subgroupMinSize !== 8 || info.subgroupMaxSize !== 8) {
    return `it needs subgroups of exactly 8 lanes, this adapter has ${info.subgroupMinSize} to ${info.subgroupMaxSize}`;
  }
  return needsUngrouped(geometry);
}

/** The widest row of pixels that stays in registers: 8 outputs of a 7×7 filter with stride 2. */
const MOST_COLUMNS = 21;

export function needsNarrow(g: Conv2dGeometry): string | null {
  const columns = haloOf(g, 8);
  if (columns <= MOST_COLUMNS) return null;
  return `it needs 8 outputs to span at most ${MOST_COLUMNS} columns, S=${g.s} with stride ${g.strideW} and dilation ${g.dilationW} span ${columns}`;
}

/** Output channels of a workgroup: 8 lanes with 4 each. */
export const CHANNELS = 32;

/** Rows and columns of a workgroup. */
interface LaneTile {
  TP: number;
  TQ: number;
}

/** Possible columns of a workgroup: few, so that layers share pipelines. */
const WIDTHS = [8, 7, 4, 2];

/**
 * The least wasteful tile of at most `sums` pixels for images of `columns` columns; narrow tiles have
 * more rows.
 */
export function laneTile(columns: number, sums: number): LaneTile {
  // Half a column accounts for the extra columns that a tile loads at its edges.
  const cost = (width: number) => Math.ceil(columns / width) * (width + 0.5);
  const TQ = WIDTHS.reduce((best, width) => (cost(width) < cost(best) ? width : best));
  return { TP: Math.max(1, Math.floor(sums / TQ)), TQ };
}

/** Which columns a kernel loads, and the distance of outputs and taps within them. */
interface LoadedColumns {
  STEP: number;
  DILATION: number;
  gap: number;
}

export function loadedColumns({ s, strideW, dilationW }: Conv2dGeometry): LoadedColumns {
  // A single tap shares no columns with others.
  if (s === 1) return { STEP: 1, DILATION: 1, gap: strideW };
  const gap = gcd(strideW, dilationW);
  return { STEP: strideW / gap, DILATION: dilationW / gap, gap };
}

/** Columns that `width` neighbouring outputs need. */
function haloOf(geometry: Conv2dGeometry, width: number): number {
  const { STEP, DILATION } = loadedColumns(geometry);
  return (width - 1) * STEP + (Math.max(geometry.s, 1) - 1) * DILATION + 1;
}

/** Workgroups that keep every core busy; more cost memory for partial sums. */
const ENOUGH_GROUPS = 128;

/** dw as partial sums over slices of the N·P output rows, added up in order. */
export function gradWeightInSlices(
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
      stride: [geometry.strideH, geometry.strideW],
      pad: [geometry.padTop, geometry.padLeft],
      dilation: [geometry.dilationH, geometry.dilationW],
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
