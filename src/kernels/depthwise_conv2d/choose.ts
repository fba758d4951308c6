import type { VariantChoices } from '../../gpu/variant_choices.js';
import { conv2dCost, convolutionKey, f32Operands } from '../conv2d/geometry.js';
import { selectVariant } from '../lib/select_variant.js';
import type { DepthwiseProblem } from './params.js';
import {
  depthwiseUnsupportedReason,
  depthwiseVariantNames,
  type DepthwiseVariant,
} from './variants.js';

/** The variant that a launcher runs: the requested one, else the tuned one, else the one chosen here. */
export function selectDepthwiseVariant(
  asked: DepthwiseVariant | undefined,
  problem: DepthwiseProblem,
  choices: VariantChoices,
): DepthwiseVariant {
  const rule = {
    op: 'depthwiseConv2d',
    names: depthwiseVariantNames,
    unsupportedReason: (name: string) => depthwiseUnsupportedReason(name, problem),
    key: () => convolutionKey('depthwiseConv2d', { ...problem, types: f32Operands }),
    byDefault: () => chooseDepthwiseVariant(problem),
  };
  return selectVariant(rule, asked, choices);
}

/** Below this, an unrolled kernel does not save the seconds that llvmpipe takes to compile it. */
const TILE_SOFTWARE_FLOPS = 4e6;

const candidates: readonly (readonly [DepthwiseVariant, (problem: DepthwiseProblem) => boolean])[] =
  [
    // On a CPU a load costs several multiply-adds, and spilled registers stay on the stack. Not
    // measured on a GPU.
    ['tile', (p) => p.info.isSoftware && conv2dCost(p.geometry).flops >= TILE_SOFTWARE_FLOPS],
    // A quarter of the loads on every adapter.
    ['vec4', () => true],
    ['naive', () => true],
  ];

/** The first candidate that fits and is worth it. */
export function chooseDepthwiseVariant(problem: DepthwiseProblem): DepthwiseVariant {
  const isLegal = (name: DepthwiseVariant) => depthwiseUnsupportedReason(name, problem) === null;
  return candidates.find(([name, isWorthIt]) => isLegal(name) && isWorthIt(problem))![0];
}
