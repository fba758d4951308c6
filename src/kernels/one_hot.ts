import type { GpuArray } from '../gpu/array.js';
import type { Runtime } from '../gpu/runtime.js';

const WORKGROUP = 64;

/** y[…, k] = 1 where indices[…] = k, else 0; i32 or u32 → f32 [… depth]. */
export function oneHotForward(runtime: Runtime, indices: GpuArray, depth: number): GpuArray {
  const y = runtime.alloc([...indices.shape, depth]);
  runtime.dispatch({
    shader: 'one_hot_naive',
    op: 'one-hot',
    bindings: { indices, y },
    params: { size: y.size, depth },
    groups: Math.ceil(y.size / WORKGROUP),
    bytes: 4 * (indices.size + y.size),
  });
  return y;
}
