import type { GpuArray } from '../../gpu/array.js';
import type { Runtime } from '../../gpu/runtime.js';
import { canDeal } from '../lib/deal.js';
import { selectMatmulVariant } from './choose.js';
import { matmulGeometry, productShape } from './geometry.js';
import { multiply, type MultiplyOptions } from './matmul.js';
import { depthOf, groupsOf, slicesOf } from './slices.js';
import { launchPair, SUBGROUP8_TILE } from './subgroup8.js';

interface MatmulOfPair extends Pick<MultiplyOptions, 'transposeA' | 'transposeB' | 'op'> {
  a: GpuArray;
  b: GpuArray;
}

/**
 * Two independent matmuls, the first with a residual, as in `multiply`: in one dispatch called `op` if
 * a kernel computes both, else one after the other.
 */
export function multiplyPair(
  runtime: Runtime,
  first: MatmulOfPair & Pick<MultiplyOptions, 'residual'>,
  second: MatmulOfPair,
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
  launchPair(runtime, pair, first.residual, op);
  return [y1, y2];
}

/** The plan of the subgroup8 kernel; null if the matmul does not run by it in one slice. */
function planOf({ info, choices }: Runtime, { a, b, ...transposes }: MatmulOfPair) {
  const geometry = matmulGeometry(a.shape, b.shape, transposes);
  const problem = { geometry, types: [a.dtype, b.dtype] as const, info };
  if (selectMatmulVariant(undefined, problem, choices) !== 'subgroup8') return null;
  if (slicesOf(geometry, SUBGROUP8_TILE, info) > 1) return null;
  const depth = depthOf(geometry.k, 1, SUBGROUP8_TILE.k);
  const groups = groupsOf(geometry, SUBGROUP8_TILE, depth);
  return { a, b, geometry, depth, groups, shape: productShape(a.shape, geometry) };
}
