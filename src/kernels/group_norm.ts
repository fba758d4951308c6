import type { GpuArray } from '../gpu/array.js';
import type { Runtime } from '../gpu/runtime.js';
import type { TuneValue } from '../gpu/shader.js';
import { reduceGeometry, type ReduceGeometry } from './lib/reduce_geometry.js';
import { reduceArray, sumLeadingAxes } from './reduce.js';

const WORKGROUP = 64;

/** One value per invocation, or four neighbours of one group. */
export const groupNormVariants = ['naive', 'vec4'] as const;
export type GroupNormVariant = (typeof groupNormVariants)[number];

/** x as [outer, pixels, groups, depth]: every (outer, group) is normalised by itself. */
export interface GroupNormSetup {
  outer: number;
  pixels: number;
  groups: number;
  depth: number;
  epsilon: number;
  variant?: GroupNormVariant | undefined;
}

export interface GroupNormFactors {
  /** [groups · depth] */
  gamma: GpuArray | undefined;
  beta: GpuArray | undefined;
}

/** Of each group [outer · groups]; the variance is biased. */
export interface GroupNormStatistics {
  mean: GpuArray;
  variance: GpuArray;
}

export function fitsGroupNormVectors({ depth }: GroupNormSetup): boolean {
  return depth % 4 === 0;
}

/** Mean and variance of each group, in two passes: the mean first, then the distances from it. */
export function groupNormStatistics(
  runtime: Runtime,
  x: GpuArray,
  setup: GroupNormSetup,
): GroupNormStatistics {
  const geometry = valuesOfGroups(setup);
  const scale = 1 / (setup.pixels * setup.depth);
  const mean = reduceArray(runtime, x, geometry, 'sum', { scale });
  const variance = reduceArray(runtime, x, geometry, 'deviation', { center: mean, scale });
  return { mean, variance };
}

/** y = gamma · x̂ + beta, of x's shape. */
export function groupNormForward(
  runtime: Runtime,
  x: GpuArray,
  { mean, variance }: GroupNormStatistics,
  { gamma, beta }: GroupNormFactors,
  setup: GroupNormSetup,
): GpuArray {
  const y = runtime.alloc(x.shape);
  runtime.dispatch({
    ...elementPlan(x.size, setup),
    shader: 'group_norm_forward_naive',
    op: 'groupNorm forward',
    constants: { HAS_GAMMA: gamma !== undefined, HAS_BETA: beta !== undefined },
    bindings: { x, mean, variance, gamma: gamma ?? x, beta: beta ?? x, y },
    flops: 4 * x.size,
    bytes: 8 * x.size,
  });
  return y;
}

export interface GroupNormSaved extends GroupNormStatistics {
  dy: GpuArray;
  x: GpuArray;
  gamma: GpuArray | undefined;
}

/** dx = rstd · (g − mean of g − x̂ · mean of g · x̂), g = dy · gamma, the means over the group. */
export function groupNormGradInput(
  runtime: Runtime,
  saved: GroupNormSaved,
  setup: GroupNormSetup,
): GpuArray {
  const { dy, x, mean, variance, gamma } = saved;
  const scaled = gamma ? terms(runtime, saved, setup, false) : dy.retain();
  const sums = meansOfGroups(runtime, scaled, setup);
  const products = meansOfGroups(runtime, terms(runtime, saved, setup, true), setup);
  const dx = runtime.alloc(x.shape);
  runtime.dispatch({
    ...elementPlan(x.size, setup),
    shader: 'group_norm_backward_naive',
    op: 'groupNorm grad-input',
    constants: { HAS_GAMMA: gamma !== undefined },
    bindings: { dy, x, mean, variance, gamma: gamma ?? x, sums, products, dx },
    flops: 7 * x.size,
    bytes: 12 * x.size,
  });
  sums.release();
  products.release();
  return dx;
}

/** The mean of each group [outer · groups]; takes `values`. */
function meansOfGroups(runtime: Runtime, values: GpuArray, setup: GroupNormSetup): GpuArray {
  const scale = 1 / (setup.pixels * setup.depth);
  const means = reduceArray(runtime, values, valuesOfGroups(setup), 'sum', { scale });
  values.release();
  return means;
}

/** dgamma = Σ dy · x̂ over all but the factors; → [groups · depth]. */
export function groupNormGradGamma(
  runtime: Runtime,
  saved: GroupNormSaved,
  setup: GroupNormSetup,
): GpuArray {
  const products = terms(runtime, { ...saved, gamma: undefined }, setup, true);
  const dgamma = groupNormGradBeta(runtime, products, setup);
  products.release();
  return dgamma;
}

/** dbeta = Σ dy over all but the factors; → [groups · depth]. */
export function groupNormGradBeta(
  runtime: Runtime,
  dy: GpuArray,
  { groups, depth }: GroupNormSetup,
): GpuArray {
  const factors = groups * depth;
  const rows = dy.view([dy.size / factors, factors]);
  const sum = sumLeadingAxes(runtime, rows);
  rows.release();
  return sum;
}

/** dy · gamma, or with `isNormalized` dy · gamma · x̂; of x's shape. */
function terms(
  runtime: Runtime,
  { dy, x, mean, variance, gamma }: GroupNormSaved,
  setup: GroupNormSetup,
  isNormalized: boolean,
): GpuArray {
  const result = runtime.alloc(x.shape);
  runtime.dispatch({
    ...elementPlan(x.size, setup),
    shader: 'group_norm_backward_terms',
    op: 'groupNorm gradient terms',
    constants: { HAS_GAMMA: gamma !== undefined, HAS_NORMALIZED: isNormalized },
    bindings: { dy, x, mean, variance, gamma: gamma ?? x, terms: result },
    flops: 3 * x.size,
    bytes: 12 * x.size,
  });
  return result;
}

function valuesOfGroups({ outer, pixels, groups, depth }: GroupNormSetup): ReduceGeometry {
  return reduceGeometry([outer, pixels, groups, depth], [1, 3])!;
}

/** Tunables, parameters and grid of a pass over all values. */
function elementPlan(values: number, setup: GroupNormSetup) {
  // Bound by memory: vec4 loads wherever four neighbours share their statistics.
  const isVector = setup.variant ? setup.variant === 'vec4' : fitsGroupNormVectors(setup);
  const lanes = isVector ? 4 : 1;
  const size = values / lanes;
  const tune: Record<string, TuneValue> = isVector ? { Lanes: 'vec4<f32>' } : {};
  return {
    tune,
    params: {
      size,
      M: setup.pixels,
      G: setup.groups,
      D: setup.depth / lanes,
      epsilon: setup.epsilon,
    },
    groups: Math.ceil(size / WORKGROUP),
  };
}
