import type { DeviceInfo } from '../gpu/adapter.js';
import { ShapeError } from '../gpu/errors.js';
import type { VariantChoices } from '../gpu/variant_choices.js';
import {
  conv2dVariantNames,
  whyNot,
  type Conv2dDirection,
  type Conv2dVariant,
} from './conv2d_fit.js';
import {
  conv2dCost,
  f32Operands,
  type Conv2dGeometry,
  type Conv2dTypes,
} from './conv2d_geometry.js';
import { winogradGain } from './conv2d_winograd.js';
import { conv2dKey } from './kernel_key.js';
import { matmulGeometry, type Transposes } from './matmul_geometry.js';
import { chooseMatmulVariant, type OperandTypes } from './matmul_variants.js';

export type { Conv2dDirection, Conv2dVariant } from './conv2d_fit.js';

/**
 * A kernel to use instead of the chosen one. A single name counts for every direction that it
 * fits; by direction it must fit each direction it is given for.
 */
export type Conv2dVariantOption = Conv2dVariant | Partial<Record<Conv2dDirection, Conv2dVariant>>;

const directions: readonly Conv2dDirection[] = ['forward', 'gradInput', 'gradWeight'];

/**
 * The variant that is used where nobody asks for another and nothing was tuned. A software adapter runs the lanes of a
 * subgroup as one vector of the processor and is slow at workgroup memory, so it gets kernels of
 * its own, and Winograd's F(2×2) where that repays its detour. F(4×4) is never chosen, since it exceeds the error
 * bound that all other kernels keep; nor are, on GPUs, F(2×2) and subgroup matrices, which are not measured there yet.
 */
export function chooseVariant(
  direction: Conv2dDirection,
  geometry: Conv2dGeometry,
  info: DeviceInfo,
  types = f32Operands,
): Conv2dVariant {
  const fits = (name: Conv2dVariant) => whyNot(name, direction, geometry, info, types) === null;
  // Kernels without workgroup memory read vectors of f32, and two cores convert in no time.
  if (info.isSoftware && fits('wide')) {
    return chooseVariant(direction, geometry, info) === 'naive' ? 'naive' : 'wide';
  }
  // A plain product, where that has a fast kernel.
  const isProduct = fits('matmul') && repaysPicking(direction, geometry, info);
  if (isProduct && productOf(direction, geometry, info, types) !== 'naive') {
    // A few weights, each a sum over all pixels, fill no tile of a product.
    const isFew = direction === 'gradWeight' && geometry.c * geometry.k <= FEW_WEIGHTS;
    return info.isSoftware && isFew && fits('shuffle') ? 'shuffle' : 'matmul';
  }
  // Below 8 channels most lanes of the shuffle kernels would hold nothing.
  if (geometry.c < 8 && fits('few')) return 'few';
  // An image's gradient has as few columns; its taps make more. Not measured on a GPU yet.
  if (info.isSoftware && geometry.c < 8 && fits('columns')) return 'columns';
  // Loads shared by 8 lanes: 10 to 40 times the naive kernels on llvmpipe.
  if (fits('shuffle')) {
    const isLarge = info.isSoftware && conv2dCost(geometry).flops >= WINOGRAD_SOFTWARE_FLOPS;
    const isRepaid = isLarge && winogradGain(geometry) >= WINOGRAD_GAIN[direction];
    return isRepaid && fits('winograd2') ? 'winograd2' : 'shuffle';
  }
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

/**
 * Whether a product of picked pixels is worth the pass that picks or spreads them. On llvmpipe it is
 * with many weights, as fast as direct kernels or up to 1.4 times as fast. On GPUs, where nothing was measured
 * yet, the gradient of the input alone is taken, which is a kernel for each residue otherwise.
 */
function repaysPicking(
  direction: Conv2dDirection,
  { c, k, strideH, strideW }: Conv2dGeometry,
  { isSoftware }: DeviceInfo,
): boolean {
  if (strideH === 1 && strideW === 1) return true;
  return isSoftware ? c * k >= PICKING_WEIGHTS : direction === 'gradInput';
}

const PICKING_WEIGHTS = 2 ** 16;

/** Up to these a direct kernel took 0.8 of the product's time on llvmpipe; from 2,304 on mostly as much or more. */
const FEW_WEIGHTS = 2048;

/** Where llvmpipe, 1.2 to 2 times faster with Winograd, has made up for compiling three kernels. */
const WINOGRAD_SOFTWARE_FLOPS = 50e6;
/** The gradient of a filter sums over tiles, which the product does a little slower. */
const WINOGRAD_GAIN: Record<Conv2dDirection, number> = {
  forward: 1,
  gradInput: 1,
  gradWeight: 1.2,
};

/** Where llvmpipe, 2 to 3 times faster with tiles, has made up for a second of compiling. */
const TILED_SOFTWARE_FLOPS = 50e6;

/** The kernel that computes a 1×1 convolution's product. */
function productOf(
  direction: Conv2dDirection,
  g: Conv2dGeometry,
  info: DeviceInfo,
  types: Conv2dTypes,
) {
  const pixels = g.n * g.p * g.q;
  const [a, b, operands, transposes] = {
    forward: [[pixels, g.c], [g.c, g.k], [types.x, types.w], {}],
    gradInput: [[pixels, g.k], [g.c, g.k], ['f32', types.w], { transposeB: true }],
    gradWeight: [[pixels, g.c], [pixels, g.k], [types.x, 'f32'], { transposeA: true }],
  }[direction] as [number[], number[], OperandTypes, Transposes];
  return chooseMatmulVariant(matmulGeometry(a, b, transposes), operands, info);
}

/** Every variant that can compute a direction, the reading copy first. */
export function conv2dVariants(
  direction: Conv2dDirection,
  geometry: Conv2dGeometry,
  info: DeviceInfo,
  types = f32Operands,
): Conv2dVariant[] {
  return conv2dVariantNames.filter(
    (variant) => whyNot(variant, direction, geometry, info, types) === null,
  );
}

/** Every variant that fits at least one direction. */
export function conv2dVariantsOfAny(
  geometry: Conv2dGeometry,
  info: DeviceInfo,
  types = f32Operands,
): Conv2dVariant[] {
  const names = directions.flatMap((direction) => conv2dVariants(direction, geometry, info, types));
  return [...new Set(names)];
}

/** Of these, the ones that keep the error bound of every op: all but Winograd's large tiles. */
export function conv2dAccurateVariants(
  geometry: Conv2dGeometry,
  info: DeviceInfo,
  types = f32Operands,
): Conv2dVariant[] {
  return conv2dVariantsOfAny(geometry, info, types).filter((name) => name !== 'winograd4');
}

/**
 * The variant of each direction, as asked for; none where the launcher is to choose.
 *
 * Errors: ShapeError when a variant is asked for that does not exist or does not fit.
 */
export function askedVariants(
  asked: Conv2dVariantOption | undefined,
  geometry: Conv2dGeometry,
  info: DeviceInfo,
  types = f32Operands,
): Partial<Record<Conv2dDirection, Conv2dVariant>> {
  if (asked === undefined) return {};
  const variants: Partial<Record<Conv2dDirection, Conv2dVariant>> = {};
  if (typeof asked === 'string') {
    expectFitsSomewhere(asked, geometry, info, types);
    for (const direction of directions) {
      if (whyNot(asked, direction, geometry, info, types) === null) variants[direction] = asked;
    }
    return variants;
  }
  for (const direction of directions) {
    const variant = asked[direction];
    if (variant) variants[direction] = variantFor(direction, variant, geometry, info, types);
  }
  return variants;
}

/** The variant of each direction, as asked for or else as built in. */
export function resolveVariants(
  asked: Conv2dVariantOption | undefined,
  geometry: Conv2dGeometry,
  info: DeviceInfo,
  types = f32Operands,
): Record<Conv2dDirection, Conv2dVariant> {
  return {
    forward: chooseVariant('forward', geometry, info, types),
    gradInput: chooseVariant('gradInput', geometry, info, types),
    gradWeight: chooseVariant('gradWeight', geometry, info, types),
    ...askedVariants(asked, geometry, info, types),
  };
}

/**
 * The variant a launcher runs: what its caller names, else what was tuned and still fits, else the
 * built-in choice.
 *
 * Errors: ShapeError when the one named does not exist or does not fit.
 */
export function variantFor(
  direction: Conv2dDirection,
  asked: Conv2dVariant | undefined,
  geometry: Conv2dGeometry,
  info: DeviceInfo,
  types = f32Operands,
  choices?: VariantChoices,
): Conv2dVariant {
  if (asked === undefined) {
    const tuned = choices?.ask(() => conv2dKey(direction, geometry, types)) as
      Conv2dVariant | undefined;
    const fits = tuned && whyNot(tuned, direction, geometry, info, types) === null;
    return fits ? tuned : chooseVariant(direction, geometry, info, types);
  }
  const reason = whyNot(asked, direction, geometry, info, types);
  if (reason === null) return asked;
  throw misfit(asked, `${direction}: ${reason}`, conv2dVariants(direction, geometry, info, types));
}

function expectFitsSomewhere(
  asked: Conv2dVariant,
  g: Conv2dGeometry,
  info: DeviceInfo,
  types: Conv2dTypes,
): void {
  const reasons = directions.map((direction) => whyNot(asked, direction, g, info, types));
  if (reasons.includes(null)) return;
  throw misfit(asked, reasons[0]!, conv2dVariantsOfAny(g, info, types));
}

function misfit(variant: string, reason: string, fitting: readonly string[]): ShapeError {
  return new ShapeError(
    `conv2d: variant '${variant}' does not fit, ${reason}`,
    `use one of ${fitting.join(', ')}, or none to have it chosen`,
  );
}
