import type { DeviceInfo } from '../../gpu/adapter.js';
import { sizeOf, type GpuArray } from '../../gpu/array.js';
import type { Runtime } from '../../gpu/runtime.js';
import { activationCodes } from '../lib/activation.js';
import { orPlaceholders } from '../lib/bias_activation.js';
import { reshaped } from '../reduce.js';
import type { MatmulGeometry } from './geometry.js';
import type { MatmulLauncher, MatmulOperands, MatmulTarget } from './launchers.js';

/* Split-K: small outputs have few workgroups, so several workgroups share a long sum. */

/** The tile of y per workgroup, and per invocation. */
export interface MatmulTile {
  m: number;
  n: number;
  k: number;
  rows: number;
  columns: number;
}

/** A kernel that sums `depth` terms of each slice; y is [slices, …] where there are several. */
export interface SlicedMatmul {
  tileOf: (geometry: MatmulGeometry, info: DeviceInfo) => MatmulTile;
  launch: (
    runtime: Runtime,
    operands: MatmulOperands,
    y: GpuArray,
    geometry: MatmulGeometry,
    how: Omit<MatmulTarget, 'shape'> & { depth: number; tile: MatmulTile },
  ) => void;
}

/** A matmul in enough slices to fill the device, summed in order by a second pass. */
export function inSlices({ tileOf, launch }: SlicedMatmul): MatmulLauncher {
  return (runtime, operands, geometry, { shape, op, activation }) => {
    const tile = tileOf(geometry, runtime.info);
    const depth = depthOf(geometry.k, slicesOf(geometry, tile, runtime.info), tile.k);
    const slices = Math.ceil(geometry.k / depth);
    if (slices === 1) {
      const y = runtime.alloc(shape);
      launch(runtime, operands, y, geometry, { op, activation, depth, tile });
      return y;
    }
    const part = runtime.alloc([slices, ...shape]);
    const bare = { ...operands, bias: undefined, residual: undefined };
    launch(runtime, bare, part, geometry, { op, activation: undefined, depth, tile });
    const y = finishSlices(runtime, part, slices, operands, { op, activation });
    part.release();
    return reshaped(y, shape);
  };
}

/** Workgroups that keep an adapter busy: a few for each core, or for each multiprocessor. */
export function enoughGroups(info: DeviceInfo): number {
  return info.isSoftware ? 16 : 256;
}

/** Number of slices of the sum over K. */
export function slicesOf(
  { m, n, k, batchShape }: MatmulGeometry,
  tile: MatmulTile,
  info: DeviceInfo,
): number {
  const groups = Math.ceil(m / tile.m) * Math.ceil(n / tile.n) * sizeOf(batchShape);
  const enough = enoughGroups(info);
  if (groups * 2 > enough) return 1;
  // Slices below 256 terms would cost more for their partial sums than they save.
  return Math.max(1, Math.min(Math.floor(enough / groups), Math.floor(k / 256), 64));
}

/** Terms per slice, a multiple of a kernel's step. */
export function depthOf(k: number, slices: number, step: number): number {
  return Math.ceil(k / slices / step) * step;
}

/** Workgroups: tiles of y, for each matrix and each slice. */
export function groupsOf({ m, n, k, batchShape }: MatmulGeometry, tile: MatmulTile, depth: number) {
  const tiles = Math.ceil(n / tile.n) * Math.ceil(m / tile.m);
  return tiles * sizeOf(batchShape) * Math.ceil(k / depth);
}

/** The second pass; part [slices, L] → [L]. */
function finishSlices(
  runtime: Runtime,
  part: GpuArray,
  slices: number,
  { bias, residual }: MatmulOperands,
  { op, activation }: Omit<MatmulTarget, 'shape'>,
): GpuArray {
  const elements = part.size / slices;
  const y = runtime.alloc([elements]);
  runtime.dispatch({
    shader: 'matmul_sum_slices',
    op,
    constants: {
      HAS_BIAS: bias !== undefined,
      HAS_RESIDUAL: residual !== undefined,
      ACTIVATION: activationCodes[activation ?? 'none'],
    },
    bindings: { part, ...orPlaceholders(runtime, { bias, residual }), y },
    params: { slices, elements, n: part.shape.at(-1)! },
    groups: Math.ceil(elements / 64),
    flops: part.size,
    bytes: 4 * (part.size + elements),
  });
  return y;
}
