import type { GpuArray } from '../../gpu/array.js';
import type { Runtime } from '../../gpu/runtime.js';

/**
 * total[i] = Σ_z part[z][i], in the order of z: the second pass of a sum that was cut into slices.
 * `part` is [Z L], L being the size of `shape` rounded up to whole vectors of four; its release
 * stays with the caller.
 */
export function sumSlices(
  runtime: Runtime,
  op: string,
  part: GpuArray,
  shape: readonly number[],
): GpuArray {
  const total = runtime.alloc(shape);
  const [slices] = part.shape as [number];
  const vectors = part.size / slices / 4;
  runtime.dispatch({
    shader: 'sum_slices',
    op,
    bindings: { part, total },
    params: { slices, vectors },
    groups: Math.ceil(vectors / 64),
    flops: part.size - total.size,
    bytes: 4 * (part.size + total.size),
  });
  return total;
}
