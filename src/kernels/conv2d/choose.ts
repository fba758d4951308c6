import type { DeviceInfo } from '../../gpu/adapter.js';
import type { VariantChoices } from '../../gpu/variant_choices.js';
import { expectSupported, selectVariant, type VariantRule } from '../lib/select_variant.js';
import { chooseMatmulVariant } from '../matmul/choose.js';
import { matmulGeometry, type OperandTypes, type Transposes } from '../matmul/geometry.js';
import {
  conv2dCost,
  conv2dDirections,
  convolutionKey,
  f32Operands,
  type Conv2dDirection,
  type Conv2dGeometry,
  type Conv2dProblem,
  type Conv2dTypes,
} from './geometry.js';
import {
  conv2dUnsupportedReason,
  conv2dVariantNames,
  conv2dVariants,
  type Conv2dVariant,
} from './variants.js';
import { winogradGain } from './winograd.js';

/** The variant that a launcher runs: the requested one, else the tuned one, else the one chosen here. */
export function selectConv2dVariant(
  asked: Conv2dVariant | undefined,
  problem: Conv2dProblem,
  choices: VariantChoices,
): Conv2dVariant {
  return selectVariant(ruleOf(problem), asked, choices);
}

function ruleOf(problem: Conv2dProblem): VariantRule<Conv2dVariant> {
  return {
    op: 'conv2d',
    direction: problem.direction,
    names: conv2dVariantNames,
    unsupportedReason: (name) => conv2dUnsupportedReason(name, problem),
    key: () => convolutionKey('conv2d', problem),
    byDefault: () => chooseConv2dVariant(problem),
  };
}

/**
 * The first candidate that fits and is worth it. Software adapters have their own kernels: they run the
 * lanes of a subgroup as one CPU vector, and workgroup memory is slow there.
 */
export function chooseConv2dVariant(problem: Conv2dProblem): Conv2dVariant {
  const facts = factsOf(problem);
  const isLegal = (name: Conv2dVariant) => conv2dUnsupportedReason(name, problem) === null;
  return candidates.find(([name, isWorthIt]) => isLegal(name) && isWorthIt(facts))![0];
}

/**
 * In order of preference. F(4×4) is not a candidate, since it exceeds the error bound that all other
 * kernels keep. On GPUs neither are F(2×2) and subgroup matrices, which have not been measured there
 * yet.
 */
const candidates: readonly (readonly [Conv2dVariant, (facts: Facts) => boolean])[] = [
  // Kernels without workgroup memory read f32 vectors, and converting is cheap on a software adapter.
  ['upcast', (f) => f.isSoftware && chooseConv2dVariant(f.inF32) !== 'naive'],
  ['naive', (f) => f.isSoftware && f.isF16],
  // Few weights, each a sum over all pixels, do not fill a matmul tile.
  ['subgroup8', (f) => f.isSoftware && f.hasFewWeights && isFastMatmul(f)],
  // A plain matmul, where that has a fast kernel.
  ['matmul', isFastMatmul],
  // Below 8 channels most lanes of the other shuffle kernels would hold nothing.
  ['smallChannel', (f) => f.c < 8],
  // An implicit GEMM of few channels has few columns; col2im adds the taps to them. Not measured on a
  // GPU yet.
  ['col2im', (f) => f.isSoftware && f.c < 8],
  // Fewer multiplications: 1.2 to 2 times faster on llvmpipe where they outweigh the transforms.
  ['winograd2', (f) => f.isSoftware && f.repaysCompiling && f.hasLanes() && f.repaysWinograd()],
  // Loads shared by 8 lanes: 10 to 40 times the naive kernels on llvmpipe.
  ['subgroup8', () => true],
  // 2 to 3 times faster on llvmpipe. Never naive on a GPU for the filter's gradient, which would be one
  // serial sum over all pixels per weight.
  ['tiled', (f) => (f.isSoftware ? f.isWide && f.repaysCompiling : f.isWide || f.isGradWeight)],
  ['naive', () => true],
];

/** The facts that the candidates' conditions read. */
type Facts = ReturnType<typeof factsOf>;

/** Up to these a direct kernel took 0.8 of the matmul's time on llvmpipe; from 2,304 on mostly as much or more. */
const FEW_WEIGHTS = 2048;
/** From here on, llvmpipe saves more than the second or so that compiling large kernels takes. */
const LARGE_FLOPS = 50e6;
/** A tile of 64 columns is mostly empty where a group computes fewer (an image's gradient, grouped filters). */
const WIDE_COLUMNS = 16;
/**
 * Least gain of winogradGain; the filter's gradient sums over tiles, where the matmul is a little
 * slower.
 */
const WINOGRAD_GAIN = { forward: 1, gradInput: 1, gradWeight: 1.2 };

function factsOf(problem: Conv2dProblem) {
  const { direction, geometry, types, info } = problem;
  const { c, k, groups } = geometry;
  const isGradWeight = direction === 'gradWeight';
  return {
    problem,
    c,
    isGradWeight,
    isSoftware: info.isSoftware,
    isF16: types.x === 'f16' || types.w === 'f16',
    inF32: { ...problem, types: f32Operands },
    hasFewWeights: isGradWeight && c * k <= FEW_WEIGHTS,
    isWide: (direction === 'gradInput' ? c : k) / groups >= WIDE_COLUMNS,
    repaysCompiling: conv2dCost(geometry).flops >= LARGE_FLOPS,
    hasLanes: () => conv2dUnsupportedReason('subgroup8', problem) === null,
    repaysWinograd: () => winogradGain(geometry) >= WINOGRAD_GAIN[direction],
  };
}

function isFastMatmul({ problem }: Facts): boolean {
  return (
    conv2dUnsupportedReason('matmul', problem) === null &&
    repaysSelecting(problem) &&
    matmulVariantOf(problem) !== 'naive'
  );
}

const SELECTING_WEIGHTS = 2 ** 16;

/**
 * For a strided 1×1 convolution: whether a matmul is worth the extra pass that selects or spreads
 * pixels. On llvmpipe it is with many weights: 1 to 1.4 times the speed of direct kernels. On GPUs,
 * which have not been measured, only the input's gradient uses it, since that would otherwise take a
 * dispatch per phase.
 */
function repaysSelecting({ direction, geometry, info }: Conv2dProblem): boolean {
  const { c, k, strideH, strideW } = geometry;
  if (strideH === 1 && strideW === 1) return true;
  return info.isSoftware ? c * k >= SELECTING_WEIGHTS : direction === 'gradInput';
}

/** The kernel that computes a 1×1 convolution's matmul. */
function matmulVariantOf({ direction, geometry: g, types, info }: Conv2dProblem) {
  const pixels = g.n * g.p * g.q;
  const [a, b, operands, transposes] = {
    forward: [[pixels, g.c], [g.c, g.k], [types.x, types.w], {}],
    gradInput: [[pixels, g.k], [g.c, g.k], ['f32', types.w], { transposeB: true }],
    gradWeight: [[pixels, g.c], [pixels, g.k], [types.x, 'f32'], { transposeA: true }],
  }[direction] as [number[], number[], OperandTypes, Transposes];
  return chooseMatmulVariant({ geometry: matmulGeometry(a, b, transposes), types: operands, info });
}

/**
 * A kernel to use instead of the chosen one. A single name applies to every direction that it supports;
 * a name given for a direction must support that direction.
 */
export type Conv2dVariantOption = Conv2dVariant | Partial<Record<Conv2dDirection, Conv2dVariant>>;

/**
 * The requested variant of each direction; undefined if the launcher chooses.
 *
 * Errors: ShapeError if a variant does not exist or does not fit.
 */
export function variantsByDirection(
  asked: Conv2dVariantOption | undefined,
  geometry: Conv2dGeometry,
  info: DeviceInfo,
  types: Conv2dTypes = f32Operands,
): Partial<Record<Conv2dDirection, Conv2dVariant>> {
  if (asked === undefined) return {};
  const problem = { geometry, types, info };
  if (typeof asked === 'string') {
    const unsupportedReason = (name: string) => reasonOfAll(name, problem);
    expectSupported({ op: 'conv2d', names: conv2dVariantNames, unsupportedReason }, asked);
    const fits = (direction: Conv2dDirection) =>
      conv2dUnsupportedReason(asked, { direction, ...problem }) === null;
    return Object.fromEntries(conv2dDirections.filter(fits).map((name) => [name, asked]));
  }
  for (const direction of conv2dDirections) {
    const variant = asked[direction];
    if (variant !== undefined) expectSupported(ruleOf({ direction, ...problem }), variant);
  }
  return asked;
}

/** Every variant that fits at least one direction and keeps the error bound of every op. */
export function accurateConv2dVariants(
  geometry: Conv2dGeometry,
  info: DeviceInfo,
  types: Conv2dTypes = f32Operands,
): Conv2dVariant[] {
  const fits = (name: Conv2dVariant) => reasonOfAll(name, { geometry, types, info }) === null;
  return conv2dVariantNames.filter((name) => fits(name) && !conv2dVariants[name].isInaccurate);
}

/** Why a variant computes no direction at all; null if it computes one. */
function reasonOfAll(name: string, problem: Omit<Conv2dProblem, 'direction'>): string | null {
  const reasons = conv2dDirections.map((direction) =>
    conv2dUnsupportedReason(name, { direction, ...problem }),
  );
  return reasons.includes(null) ? null : reasons[0];
}
