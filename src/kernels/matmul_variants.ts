import type { DeviceInfo } from '../gpu/adapter.js';
import { sizeOf, type DType } from '../gpu/array.js';
import { ShapeError } from '../gpu/errors.js';
import type { VariantChoices } from '../gpu/variant_choices.js';
import { matmulKey } from './kernel_key.js';
import type { MatmulGeometry } from './matmul_geometry.js';

/** 'wide' is another variant on operands that were made f32. */
export type MatmulVariant = 'naive' | 'shuffle' | 'tiled' | 'tiledVec4' | 'wide';

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
  tiled: () => null,
  tiledVec4: (g) => {
    const aAxis = g.transposeA ? 'm' : 'k';
    const bAxis = g.transposeB ? 'k' : 'n';
    const ragged = ([aAxis, bAxis, 'n'] as const).find((axis) => g[axis] % 4 !== 0);
    if (ragged === undefined) return null;
    return `it needs ${ragged.toUpperCase()} to be a multiple of 4, got ${g[ragged]}`;
  },
  wide: (_g, types) => (types.includes('f16') ? null : 'it needs an operand of f16'),
};

const names = Object.keys(rules) as MatmulVariant[];

/** Multiply-adds below which a GPU takes the naive kernel, and above which software takes tiles. */
const SMALL_PRODUCT = 2 ** 12;
const LARGE_PRODUCT = 2 ** 20;

/** The variant that is used where nobody asks for another and nothing was tuned. */
export function chooseMatmulVariant(
  geometry: MatmulGeometry,
  types: OperandTypes,
  info: DeviceInfo,
): MatmulVariant {
  const fits = (variant: MatmulVariant) => rules[variant](geometry, types, info) === null;
  const products = sizeOf(geometry.batchShape) * geometry.m * geometry.n * geometry.k;
  if (info.isSoftware) {
    // Registers and shuffles: 20 times the naive kernel on llvmpipe, workgroup memory 4 times.
    if (fits('shuffle')) return 'shuffle';
    // Converting costs little beside the kernels that read f16.
    if (fits('wide') && chooseMatmulVariant(geometry, ['f32', 'f32'], info) === 'shuffle') {
      return 'wide';
    }
    return products > LARGE_PRODUCT ? 'tiled' : 'naive';
  }
  // A few rows and columns fill no tile, and are done before a tile is loaded.
  if (products < SMALL_PRODUCT) return 'naive';
  return fits('tiledVec4') ? 'tiledVec4' : 'tiled';
}

/** Every variant that can compute a product, the reading copy first. */
export function matmulVariants(
  geometry: MatmulGeometry,
  types: OperandTypes,
  info: DeviceInfo,
): MatmulVariant[] {
  return names.filter((variant) => rules[variant](geometry, types, info) === null);
}

/** Errors: ShapeError when a variant is asked for that does not exist or does not fit. */
export function expectMatmulFits(
  asked: MatmulVariant | undefined,
  geometry: MatmulGeometry,
  types: OperandTypes,
  info: DeviceInfo,
): void {
  if (asked === undefined) return;
  const reason = asked in rules ? rules[asked](geometry, types, info) : 'there is no such kernel';
  if (reason === null) return;
  throw new ShapeError(
    `matmul: variant '${asked}' does not fit, ${reason}`,
    `use one of ${matmulVariants(geometry, types, info).join(', ')}, or none to have it chosen`,
  );
}

/**
 * The variant a product runs by: the one asked for where it fits (gradients differ in shape), else
 * what was tuned and still fits, else the built-in choice.
 */
export function preferMatmulVariant(
  asked: MatmulVariant | undefined,
  geometry: MatmulGeometry,
  types: OperandTypes,
  info: DeviceInfo,
  choices?: VariantChoices,
): MatmulVariant {
  const fits = (variant: MatmulVariant) => rules[variant](geometry, types, info) === null;
  if (asked && fits(asked)) return asked;
  const tuned = choices?.ask(() => matmulKey(geometry, types)) as MatmulVariant | undefined;
  if (tuned && Object.hasOwn(rules, tuned) && fits(tuned)) return tuned;
  return chooseMatmulVariant(geometry, types, info);
}

/** What one workgroup computes of y, and its share of each invocation. */
export interface MatmulTile {
  m: number;
  n: number;
  k: number;
  rows: number;
  columns: number;
}

const SHUFFLE_TILE: MatmulTile = { m: 24, n: 32, k: 8, rows: 24, columns: 4 };
const SMALL_TILE: MatmulTile = { m: 64, n: 64, k: 16, rows: 8, columns: 4 };
const LARGE_TILE: MatmulTile = { m: 128, n: 128, k: 16, rows: 8, columns: 8 };
const ANY_TILE: MatmulTile = { m: 64, n: 64, k: 16, rows: 4, columns: 4 };

export function tileOf(
  variant: Exclude<MatmulVariant, 'naive' | 'wide'>,
  { m, n, batchShape }: MatmulGeometry,
  info: DeviceInfo,
): MatmulTile {
  if (variant === 'shuffle') return SHUFFLE_TILE;
  if (variant === 'tiled') return ANY_TILE;
  // Large tiles read less, but only enough of them keep every multiprocessor busy.
  const groups = Math.ceil(m / LARGE_TILE.m) * Math.ceil(n / LARGE_TILE.n) * sizeOf(batchShape);
  return groups >= enoughGroups(info) / 2 ? LARGE_TILE : SMALL_TILE;
}

/** Workgroups that keep an adapter busy: a few for each core, or for each multiprocessor. */
const enoughGroups = (info: DeviceInfo): number => (info.isSoftware ? 16 : 256);

/**
 * Into how many slices the sum over K is cut. Small outputs give few workgroups, so that long sums
 * are shared among several and added up in a second, ordered pass.
 */
export function chooseSlices(
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
