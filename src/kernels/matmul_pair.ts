import type { GpuArray } from '../gpu/array.js';
import type { Runtime } from '../gpu/runtime.js';
import { canDeal } from './deal.js';
import { multiply, type MatmulOptions } from './matmul.js';
import { matmulGeometry, productShape } from './matmul_geometry.js';
import { depthOf, groupsOf, launchShufflePair } from './matmul_launch.js';
import { chooseSlices, preferMatmulVariant, tileOf } from './matmul_variants.js';

export interface ProductOfPair extends Pick<MatmulOptions, 'transposeA' | 'transposeB' | 'op'> {
  a: GpuArray;
  b: GpuArray;
}

/**
 * Two products that need nothing of each other, the first with a residual, as `multiply` has them: in one
 * dispatch called `op` where a kernel computes both, else one after the other.
 */
export function multiplyPair(
  runtime: Runtime,
  first: ProductOfPair & Pick<MatmulOptions, 'residual'>,
  second: ProductOfPair,
  op: string,
): [GpuArray, GpuArray] {
  const [one, two] = [planOf(runtime, first), planOf(runtime, second)];
  if (!one || !two || !canDeal(one.groups, two.groups)) {
    return [first, second].map((of) => multiply(runtime, of.a, of.b, of)) as [GpuArray, GpuArray];
  }
  const [y1, y2] = [runtime.alloc(one.shape), runtime.alloc(two.shape)];
  const pair = [
    { ...one, y: y1 },
    { ...two, y: y2 },
  ] as const;
  launchShufflePair(runtime, pair, first.residual, { op, tile: one.tile });
  return [y1, y2];
}

/** What the shuffle kernel would do in one slice; null for a product that is not one of these. */
function planOf({ info, choices }: Runtime, { a, b, ...transposes }: ProductOfPair) {
  const geometry = matmulGeometry(a.shape, b.shape, transposes);
  const types = [a.dtype, b.dtype] as const;
  const variant = preferMatmulVariant(undefined, geometry, types, info, choices);
  if (variant !== 'shuffle') return null;
  const tile = tileOf(variant, geometry, info);
  if (chooseSlices(geometry, tile, info) > 1) return null;
  const depth = depthOf(geometry.k, 1, tile.k);
  const groups = groupsOf(geometry, tile, depth);
  return { a, b, geometry, tile, depth, groups, shape: productShape(a.shape, geometry) };
}
