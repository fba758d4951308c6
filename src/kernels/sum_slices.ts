import type { GpuArray } from '../gpu/array.js';
import type { Runtime } from '../gpu/runtime.js';

/**
 * total[i] = Σ_z part[z][i], in the order of z: the second pass of a sum that was cut into slices.
 * `part` is [Z ...shape] and its release stays with the caller; `shape` holds a multiple of 4.
 */
export function sumSlices(
  runtime: Runtime,
  op: string,
  part: GpuArray,
  shape: readonly number[],
): GpuArray {
  const total = runtime.alloc(shape);
  const vectors = total.size / 4;
  runtime.dispatch({
    shader: 'sum_slices',
    op,
    bindings: { part, total },
    params: { slices: part.shape[0], vectors },
    groups: Math.ceil(vectors / 64),
    flops: part.size - total.size,
    bytes: 4 * (part.size + total.size),
  });
  return total;
}
