import { sizeOf } from '../../gpu/array.js';
import type { VariantChoices } from '../../gpu/variant_choices.js';
import { expectSupported, selectVariant, type VariantRule } from '../lib/select_variant.js';
import { matmulKey, type MatmulProblem } from './geometry.js';
import { matmulUnsupportedReason, matmulVariantNames, type MatmulVariant } from './variants.js';

/**
 * The variant of a matmul: the requested one if it fits (gradients have other shapes), else the tuned
 * one, else the one chosen here.
 */
export function selectMatmulVariant(
  asked: MatmulVariant | undefined,
  problem: MatmulProblem,
  choices: VariantChoices,
): MatmulVariant {
  const fits = asked !== undefined && matmulUnsupportedReason(asked, problem) === null;
  return fits ? asked : selectVariant(ruleOf(problem), undefined, choices);
}

/** Errors: ShapeError if the requested variant does not exist or does not fit. */
export function expectMatmulFits(asked: MatmulVariant | undefined, problem: MatmulProblem): void {
  if (asked !== undefined) expectSupported(ruleOf(problem), asked);
}

function ruleOf(problem: MatmulProblem): VariantRule<MatmulVariant> {
  return {
    op: 'matmul',
    names: matmulVariantNames,
    unsupportedReason: (name) => matmulUnsupportedReason(name, problem),
    key: () => matmulKey(problem),
    byDefault: () => chooseMatmulVariant(problem),
  };
}

/** The first candidate that fits and is worth it. */
export function chooseMatmulVariant(problem: MatmulProblem): MatmulVariant {
  const isLegal = (name: MatmulVariant) => matmulUnsupportedReason(name, problem) === null;
  const list = problem.info.isSoftware ? softwareCandidates : gpuCandidates;
  return list.find(([name, isWorthIt]) => isLegal(name) && isWorthIt(problem))![0];
}

type Candidates = readonly (readonly [MatmulVariant, (problem: MatmulProblem) => boolean])[];

const always = () => true;

const softwareCandidates: Candidates = [
  // Registers and shuffles: 20 times the speed of the naive kernel on llvmpipe; with workgroup memory
  // it is 4 times.
  ['subgroup8', always],
  // Converting is cheap compared with the kernels that read f16.
  ['upcast', (p) => chooseMatmulVariant({ ...p, types: ['f32', 'f32'] }) === 'subgroup8'],
  ['tiled', (p) => productsOf(p) > LARGE_PRODUCTS],
  ['naive', always],
];

const gpuCandidates: Candidates = [
  // A small matmul does not fill a tile.
  ['naive', (p) => productsOf(p) < SMALL_PRODUCTS],
  // A quarter of the loads and stores.
  ['tiledVec4', always],
  ['tiled', always],
];

/** Below this a GPU runs the naive kernel; from LARGE_PRODUCTS on a software adapter runs tiles. */
const SMALL_PRODUCTS = 2 ** 12;
const LARGE_PRODUCTS = 2 ** 20;

function productsOf({ geometry: { batchShape, m, n, k } }: MatmulProblem): number {
  return sizeOf(batchShape) * m * n * k;
}
