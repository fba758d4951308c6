import type { DeviceInfo } from '../gpu/adapter.js';
import { sizeOf, type DType } from '../gpu/array.js';
import { ShapeError } from '../gpu/errors.js';
import type { MatmulGeometry } from './matmul_geometry.js';

export type MatmulVariant = 'naive' | 'shuffle';

/** Element types of a and b. */
export type OperandTypes = readonly [a: DType, b: DType];

/** Why a variant cannot compute a product, or null where it can. */
type FitRule = (geometry: MatmulGeometry, types: OperandTypes, info: DeviceInfo) => string | null;

const rules: Record<MatmulVariant, FitRule> = {
  naive: () => null,
  shuffle: (g, types, info) => {
    // The kernel treats the index in a workgroup of 8 as the lane, so no other size will do.
    if (info.subgroupMinSize !== 8 || info.subgroupMaxSize !== 8) {
      return `it needs subgroups of exactly 8 lanes, this adapter has ${info.subgroupMinSize} to ${info.subgroupMaxSize}`;
    }
    if (types.includes('f16')) return 'it needs operands of f32';
    if (g.n % 4 !== 0) return `it needs N to be a multiple of 4, got ${g.n}`;
    if (g.transposeB && g.k % 4 !== 0) {
      return `it needs K to be a multiple of 4 where b is transposed, got ${g.k}`;
    }
    return null;
  },
};

const names = Object.keys(rules) as MatmulVariant[];

/** The variant that is used where nobody asks for another. */
export function chooseMatmulVariant(
  geometry: MatmulGeometry,
  types: OperandTypes,
  info: DeviceInfo,
): MatmulVariant {
  const fits = (variant: MatmulVariant) => rules[variant](geometry, types, info) === null;
  // Registers and shuffles: 20 times the naive kernel on llvmpipe.
  if (fits('shuffle')) return 'shuffle';
  return 'naive';
}

/** Every variant that can compute a product, the reading copy first. */
export function matmulVariants(
  geometry: MatmulGeometry,
  types: OperandTypes,
  info: DeviceInfo,
): MatmulVariant[] {
  return names.filter((variant) => rules[variant](geometry, types, info) === null);
}

/**
 * The variant asked for, or else the chosen one.
 *
 * Errors: ShapeError when a variant is asked for that does not exist or does not fit.
 */
export function resolveMatmulVariant(
  asked: MatmulVariant | undefined,
  geometry: MatmulGeometry,
  types: OperandTypes,
  info: DeviceInfo,
): MatmulVariant {
  if (asked === undefined) return chooseMatmulVariant(geometry, types, info);
  const reason = asked in rules ? rules[asked](geometry, types, info) : 'there is no such kernel';
  if (reason === null) return asked;
  throw new ShapeError(
    `matmul: variant '${asked}' does not fit, ${reason}`,
    `use one of ${matmulVariants(geometry, types, info).join(', ')}, or none to have it chosen`,
  );
}

/** The variant asked for where it fits, or else the chosen one: for gradients, which differ in shape. */
export function preferMatmulVariant(
  asked: MatmulVariant | undefined,
  geometry: MatmulGeometry,
  types: OperandTypes,
  info: DeviceInfo,
): MatmulVariant {
  if (asked && rules[asked](geometry, types, info) === null) return asked;
  return chooseMatmulVariant(geometry, types, info);
}

/** Workgroups that keep an adapter busy: a few for each core, or for each multiprocessor. */
const ENOUGH_GROUPS = { software: 16, gpu: 256 };

/**
 * Into how many slices the sum over K is cut. Small outputs give few workgroups, so that long sums
 * are shared among several and added up in a second, ordered pass.
 */
export function chooseSlices(
  { m, n, k, batchShape }: MatmulGeometry,
  tile: { m: number; n: number },
  info: DeviceInfo,
): number {
  const groups = Math.ceil(m / tile.m) * Math.ceil(n / tile.n) * sizeOf(batchShape);
  const enough = info.isSoftware ? ENOUGH_GROUPS.software : ENOUGH_GROUPS.gpu;
  if (groups * 2 > enough) return 1;
  // Slices below 256 terms would cost more for their partial sums than they save.
  return Math.max(1, Math.min(Math.floor(enough / groups), Math.floor(k / 256), 64));
}
