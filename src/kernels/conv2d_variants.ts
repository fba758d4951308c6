import type { DeviceInfo } from '../gpu/adapter.js';
import { ShapeError } from '../gpu/errors.js';
import { conv2dCost, type Conv2dGeometry } from './conv2d_geometry.js';
import { winogradBytes, type WinogradTile } from './conv2d_winograd.js';
import { matmulGeometry, type Transposes } from './matmul_geometry.js';
import { chooseMatmulVariant } from './matmul_variants.js';

/** Which kernels of a convolution exist, which of them fit, and which one is chosen. */
export type Conv2dDirection = 'forward' | 'gradInput' | 'gradWeight';
export type Conv2dVariant =
  'naive' | 'tiled' | 'matmul' | 'winograd2' | 'winograd4' | 'shuffle' | 'few';

/**
 * A kernel to use instead of the chosen one. A single name counts for every direction that it
 * fits; by direction it must fit each direction it is given for.
 */
export type Conv2dVariantOption = Conv2dVariant | Partial<Record<Conv2dDirection, Conv2dVariant>>;

const directions: readonly Conv2dDirection[] = ['forward', 'gradInput', 'gradWeight'];

/** Why a variant cannot compute a direction, or null where it can. */
type FitRule = (geometry: Conv2dGeometry, info: DeviceInfo) => string | null;

const always: FitRule = () => null;

const rules: Record<Conv2dVariant, Partial<Record<Conv2dDirection, FitRule>>> = {
  naive: { forward: always, gradInput: always, gradWeight: always },
  tiled: { forward: always, gradInput: always, gradWeight: always },
  matmul: { forward: needsPointwise, gradInput: needsPointwise, gradWeight: needsPointwise },
  winograd2: {
    forward: (g, info) => needsWinograd(g, 2, info),
    gradInput: (g, info) => needsWinograd(g, 2, info),
  },
  winograd4: {
    forward: (g, info) => needsWinograd(g, 4, info),
    gradInput: (g, info) => needsWinograd(g, 4, info),
  },
  shuffle: {
    forward: (g, info) => needsLanes(info) ?? needsUnitSteps(g) ?? needsMultiples(g, 'c', 'k'),
    // Input and output change places.
    gradInput: (g, info) => needsLanes(info) ?? needsUnitSteps(g) ?? needsMultiples(g, 'k', 'c'),
    gradWeight: (g, info) => needsLanes(info) ?? needsUnitSteps(g) ?? needsMultiple(g, 'k', 4),
  },
  few: {
    forward: (g, info) => needsLanes(info) ?? needsUnitSteps(g) ?? needsMultiple(g, 'k', 4),
    gradWeight: (g, info) => needsLanes(info) ?? needsUnitSteps(g) ?? needsMultiple(g, 'k', 4),
  },
};

/**
 * The variant that is used where nobody asks for another. A software adapter runs the lanes of a
 * subgroup as one vector of the processor and is slow at workgroup memory, so it gets kernels of
 * its own. Winograd is never chosen: F(4×4) exceeds the error bound that all other kernels keep, and
 * F(2×2) is not measured yet on an adapter where it could win.
 */
export function chooseVariant(
  direction: Conv2dDirection,
  geometry: Conv2dGeometry,
  info: DeviceInfo,
): Conv2dVariant {
  const fits = (variant: Conv2dVariant) => whyNot(variant, direction, geometry, info) === null;
  // A plain product, where that has a fast kernel.
  if (fits('matmul') && productOf(direction, geometry, info) !== 'naive') return 'matmul';
  // Below 8 channels most lanes of the shuffle kernels would hold nothing.
  if (geometry.c < 8 && fits('few')) return 'few';
  // Loads shared by 8 lanes: 15 to 40 times the naive kernels on llvmpipe.
  if (fits('shuffle')) return 'shuffle';
  // A tile of 64 columns is mostly empty where a group computes a few channels (an image's gradient,
  // grouped filters), and a small convolution does not repay compiling a large kernel.
  const columns = direction === 'gradInput' ? geometry.c : geometry.k;
  const isWide = columns / geometry.groups >= 16;
  if (info.isSoftware) {
    return isWide && conv2dCost(geometry).flops >= TILED_SOFTWARE_FLOPS ? 'tiled' : 'naive';
  }
  // The naive gradient of a filter is one serial sum over all pixels a weight: never on a GPU.
  return isWide || direction === 'gradWeight' ? 'tiled' : 'naive';
}

/** Where llvmpipe, 2 to 3 times faster with tiles, has made up for a second of compiling. */
const TILED_SOFTWARE_FLOPS = 50e6;

/** The kernel that computes a 1×1 convolution's product. */
function productOf(direction: Conv2dDirection, g: Conv2dGeometry, info: DeviceInfo) {
  const pixels = g.n * g.p * g.q;
  const [a, b, transposes] = {
    forward: [[pixels, g.c], [g.c, g.k], {}],
    gradInput: [[pixels, g.k], [g.c, g.k], { transposeB: true }],
    gradWeight: [[pixels, g.c], [pixels, g.k], { transposeA: true }],
  }[direction] as [number[], number[], Transposes];
  return chooseMatmulVariant(matmulGeometry(a, b, transposes), ['f32', 'f32'], info);
}

/** Every variant that can compute a direction, the reading copy first. */
export function conv2dVariants(
  direction: Conv2dDirection,
  geometry: Conv2dGeometry,
  info: DeviceInfo,
): Conv2dVariant[] {
  const names = Object.keys(rules) as Conv2dVariant[];
  return names.filter((variant) => whyNot(variant, direction, geometry, info) === null);
}

/** Every variant that fits at least one direction. */
export function conv2dVariantsOfAny(geometry: Conv2dGeometry, info: DeviceInfo): Conv2dVariant[] {
  const names = directions.flatMap((direction) => conv2dVariants(direction, geometry, info));
  return [...new Set(names)];
}

/** Of these, the ones that keep the error bound of every op: all but Winograd's large tiles. */
export function conv2dAccurateVariants(geometry: Conv2dGeometry, info: DeviceInfo) {
  return conv2dVariantsOfAny(geometry, info).filter((name) => name !== 'winograd4');
}

/**
 * The variant of each direction, as asked for or else as chosen.
 *
 * Errors: ShapeError when a variant is asked for that does not exist or does not fit.
 */
export function resolveVariants(
  asked: Conv2dVariantOption | undefined,
  geometry: Conv2dGeometry,
  info: DeviceInfo,
): Record<Conv2dDirection, Conv2dVariant> {
  if (typeof asked === 'string') expectFitsSomewhere(asked, geometry, info);
  const resolve = (direction: Conv2dDirection) => {
    const name = typeof asked === 'string' ? asked : asked?.[direction];
    if (name === undefined) return chooseVariant(direction, geometry, info);
    const reason = whyNot(name, direction, geometry, info);
    if (reason === null) return name;
    if (typeof asked === 'string') return chooseVariant(direction, geometry, info);
    throw misfit(name, `${direction}: ${reason}`, conv2dVariants(direction, geometry, info));
  };
  return {
    forward: resolve('forward'),
    gradInput: resolve('gradInput'),
    gradWeight: resolve('gradWeight'),
  };
}

/** The variant a launcher runs: what its caller names, if that fits, or the chosen one. */
export function variantFor(
  direction: Conv2dDirection,
  asked: Conv2dVariant | undefined,
  geometry: Conv2dGeometry,
  info: DeviceInfo,
): Conv2dVariant {
  return resolveVariants(asked && { [direction]: asked }, geometry, info)[direction];
}

function whyNot(
  variant: Conv2dVariant,
  direction: Conv2dDirection,
  geometry: Conv2dGeometry,
  info: DeviceInfo,
): string | null {
  if (!(variant in rules)) return 'there is no such kernel';
  const rule = rules[variant][direction];
  return rule ? rule(geometry, info) : 'it does not compute this direction';
}

function expectFitsSomewhere(asked: Conv2dVariant, g: Conv2dGeometry, info: DeviceInfo): void {
  const reasons = directions.map((direction) => whyNot(asked, direction, g, info));
  if (reasons.includes(null)) return;
  throw misfit(asked, reasons[0]!, conv2dVariantsOfAny(g, info));
}

function misfit(variant: string, reason: string, fitting: readonly string[]): ShapeError {
  return new ShapeError(
    `conv2d: variant '${variant}' does not fit, ${reason}`,
    `use one of ${fitting.join(', ')}, or none to have it chosen`,
  );
}

/** The kernels treat the index in a workgroup of 8 as the lane, so no other size will do. */
function needsLanes(info: DeviceInfo): string | null {
  if (!info.features.includes('subgroups')) return 'it needs the feature subgroups';
  if (info.subgroupMinSize === 8 && info.subgroupMaxSize === 8) return null;
  return `it needs subgroups of exactly 8 lanes, this adapter has ${info.subgroupMinSize} to ${info.subgroupMaxSize}`;
}

function needsPointwise(g: Conv2dGeometry): string | null {
  if (g.r !== 1 || g.s !== 1) return `it needs a 1×1 filter, got ${g.r}×${g.s}`;
  const padding = g.padTop + g.padBottom + g.padLeft + g.padRight;
  if (padding > 0) return 'it needs an image without padding';
  return needsStride1(g);
}

function needsWinograd(g: Conv2dGeometry, tile: WinogradTile, info: DeviceInfo): string | null {
  if (g.r !== 3 || g.s !== 3) return `it needs a 3×3 filter, got ${g.r}×${g.s}`;
  const most = info.limits.maxStorageBufferBindingSize ?? 2 ** 27;
  const bytes = winogradBytes(g, tile);
  return (
    needsUnitSteps(g) ??
    needsMultiple(g, 'c', 4) ??
    needsMultiple(g, 'k', 4) ??
    (bytes <= most ? null : `it needs a buffer of ${bytes} bytes, this adapter allows ${most}`)
  );
}

function needsStride1(g: Conv2dGeometry): string | null {
  if (g.groups !== 1) return `it needs groups=1, got ${g.groups}`;
  if (g.strideH === 1 && g.strideW === 1) return null;
  return `it needs stride 1, got ${g.strideH}×${g.strideW}`;
}

/** The widest filter whose row of pixels still stays in registers. */
const MOST_COLUMNS = 11;

function needsUnitSteps(g: Conv2dGeometry): string | null {
  const reason = needsStride1(g);
  if (reason !== null) return reason;
  if (g.dilationH !== 1 || g.dilationW !== 1) {
    return `it needs dilation 1, got ${g.dilationH}×${g.dilationW}`;
  }
  return g.s <= MOST_COLUMNS ? null : `it needs S ≤ ${MOST_COLUMNS}, got ${g.s}`;
}

/** Channels that are summed come 8 at a time, one a lane; those computed are written as vec4. */
function needsMultiples(g: Conv2dGeometry, summed: 'c' | 'k', computed: 'c' | 'k') {
  return needsMultiple(g, summed, 8) ?? needsMultiple(g, computed, 4);
}

function needsMultiple(g: Conv2dGeometry, letter: 'c' | 'k', divisor: number): string | null {
  if (g[letter] % divisor === 0) return null;
  return `it needs ${letter.toUpperCase()} to be a multiple of ${divisor}, got ${g[letter]}`;
}
