import type { DeviceInfo } from '../gpu/adapter.js';
import { ShapeError } from '../gpu/errors.js';
import type { VariantChoices } from '../gpu/variant_choices.js';
import type { Conv2dDirection } from './conv2d_fit.js';
import { conv2dCost, type Conv2dGeometry } from './conv2d_geometry.js';
import { depthwiseKey } from './kernel_key.js';

export type DepthwiseVariant = 'naive' | 'vec4' | 'tile';

/** Why a variant cannot compute a direction, or null where it can. */
type FitRule = (geometry: Conv2dGeometry, direction: Conv2dDirection) => string | null;

const rules: Record<DepthwiseVariant, FitRule> = {
  naive: () => null,
  vec4: needsQuads,
  // A tile of the filter's gradient was tried: on llvmpipe it took 1.4 to 3 times as long as vec4.
  tile: (g, direction) =>
    direction === 'gradWeight'
      ? 'it does not compute this direction'
      : (needsQuads(g) ?? needsSmallFilter(g)),
};

export const depthwiseVariantNames = Object.keys(rules) as DepthwiseVariant[];

/** Variants that can compute a direction, the reading copy first. */
export function depthwiseVariants(
  direction: Conv2dDirection,
  geometry: Conv2dGeometry,
): DepthwiseVariant[] {
  return depthwiseVariantNames.filter((name) => rules[name](geometry, direction) === null);
}

/** Why a variant does not fit, or null where it does. */
export function whyNotDepthwise(
  variant: string,
  direction: Conv2dDirection,
  geometry: Conv2dGeometry,
): string | null {
  if (!Object.hasOwn(rules, variant)) return 'there is no such kernel';
  return rules[variant as DepthwiseVariant](geometry, direction);
}

/** The variant that is used where nobody asks for another and nothing was tuned. */
export function chooseDepthwiseVariant(
  direction: Conv2dDirection,
  geometry: Conv2dGeometry,
  info: Pick<DeviceInfo, 'isSoftware'>,
): DepthwiseVariant {
  const fits = (name: DepthwiseVariant) => rules[name](geometry, direction) === null;
  // On a processor a load costs several multiply-adds, and what does not fit the registers is at
  // hand on the stack. Not measured on a GPU.
  const isLarge = conv2dCost(geometry).flops >= TILE_SOFTWARE_FLOPS;
  if (info.isSoftware && isLarge && fits('tile')) return 'tile';
  // A quarter of the loads on every adapter.
  return fits('vec4') ? 'vec4' : 'naive';
}

/** Below this, llvmpipe does not make up for the seconds that it takes to compile an unrolled kernel. */
const TILE_SOFTWARE_FLOPS = 4e6;

/**
 * The variant a launcher runs: what its caller names, else what was tuned and still fits, else the
 * built-in choice.
 *
 * Errors: ShapeError when the one named does not exist or does not fit.
 */
export function depthwiseVariantFor(
  direction: Conv2dDirection,
  asked: DepthwiseVariant | undefined,
  geometry: Conv2dGeometry,
  info: Pick<DeviceInfo, 'isSoftware'>,
  choices: VariantChoices,
): DepthwiseVariant {
  if (asked === undefined) {
    const tuned = choices.ask(() => depthwiseKey(direction, geometry));
    const fits = tuned !== undefined && whyNotDepthwise(tuned, direction, geometry) === null;
    return fits ? (tuned as DepthwiseVariant) : chooseDepthwiseVariant(direction, geometry, info);
  }
  const reason = whyNotDepthwise(asked, direction, geometry);
  if (reason === null) return asked;
  throw new ShapeError(
    `depthwiseConv2d: variant '${asked}' does not fit, ${reason}`,
    `use ${depthwiseVariants(direction, geometry).join(' or ')}, or none to have it chosen`,
  );
}

function needsQuads({ c, k }: Conv2dGeometry): string | null {
  if (k !== c) return `it needs one filter a channel, got ${k / c}`;
  return c % 4 === 0 ? null : `it needs C to be a multiple of 4, got ${c}`;
}

/** The largest filter that is kept in registers as a whole. */
const MOST_TAPS = 7;

function needsSmallFilter(g: Conv2dGeometry): string | null {
  if (g.r > MOST_TAPS || g.s > MOST_TAPS) {
    return `it needs a filter of at most ${MOST_TAPS}×${MOST_TAPS}, got ${g.r}×${g.s}`;
  }
  if (g.strideH > 2 || g.strideW > 2) {
    return `it needs strides of at most 2, got ${g.strideH}×${g.strideW}`;
  }
  if (g.dilationH === 1 && g.dilationW === 1) return null;
  return `it needs dilation 1, got ${g.dilationH}×${g.dilationW}`;
}
