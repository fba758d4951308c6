import type { GpuArray } from '../gpu/array.js';
import type { Runtime } from '../gpu/runtime.js';

const WORKGROUP = 64;

/** x seen as [outer, length, inner], with the middle searched. */
export interface TopKGeometry {
  outer: number;
  length: number;
  inner: number;
  k: number;
}

/** Indices of the k largest, largest first; x [outer length inner] → i32 of `shape`, outer · k · inner. */
export function topKForward(
  runtime: Runtime,
  x: GpuArray,
  shape: readonly number[],
  { outer, length, inner, k }: TopKGeometry,
): GpuArray {
  const y = runtime.alloc(shape, 'i32');
  const rows = outer * inner;
  runtime.dispatch({
    shader: 'top_k_forward_naive',
    op: 'topK forward',
    bindings: { x, y },
    params: { rows, length, inner, k },
    groups: Math.ceil(rows / WORKGROUP),
    flops: k * x.size,
    bytes: x.byteLength + y.byteLength,
  });
  return y;
}
