import type { GpuArray } from '../../gpu/array.js';
import type { Runtime } from '../../gpu/runtime.js';

const WORKGROUP = 64;

/** target += source, element by element. Both f32 of one size. */
export function accumulate(runtime: Runtime, target: GpuArray, source: GpuArray): void {
  const vectors = Math.ceil(target.size / 4);
  runtime.dispatch({
    shader: 'accumulate_vec4',
    op: 'accumulate',
    bindings: { target_values: target, source_values: source },
    params: { vectors },
    groups: Math.ceil(vectors / WORKGROUP),
    flops: target.size,
    bytes: 12 * target.size,
  });
}

/** Adds to an array, where there is something to add, and gives it back. */
export function addInPlace(
  runtime: Runtime,
  target: GpuArray,
  source: GpuArray | undefined,
): GpuArray {
  if (source) accumulate(runtime, target, source);
  return target;
}

/** a + b into a new array of a's shape. */
export function addArrays(runtime: Runtime, a: GpuArray, b: GpuArray): GpuArray {
  const sum = runtime.alloc(a.shape, a.dtype);
  runtime.copy(a, sum);
  accumulate(runtime, sum, b);
  return sum;
}

/** A copy in storage of its own. */
export function copyArray(runtime: Runtime, source: GpuArray): GpuArray {
  const copy = runtime.alloc(source.shape, source.dtype);
  runtime.copy(source, copy);
  return copy;
}
