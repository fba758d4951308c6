import type { GpuArray } from '../gpu/array.js';
import type { Runtime } from '../gpu/runtime.js';

const WORKGROUP = 64;
/** Vectors of four that one workgroup sums. */
const VECTORS_PER_GROUP = 1024;

/**
 * The Euclidean norm of several arrays taken together, as an array of one element that the caller owns.
 * Sizes are multiples of 256 and padding is zero. The order of the sums is fixed.
 */
export function norm(runtime: Runtime, arrays: readonly GpuArray[]): GpuArray {
  const blocks = arrays.map(({ size }) => Math.ceil(size / 4 / VECTORS_PER_GROUP));
  const count = blocks.reduce((a, b) => a + b, 0);
  const partials = runtime.alloc([count]);
  let first = 0;
  arrays.forEach((gradients, i) => {
    runtime.dispatch({
      shader: 'grad_norm_partials',
      op: 'gradient norm, partial sums',
      bindings: { gradients, partials },
      params: { vectors: gradients.size / 4, blocks: blocks[i], first },
      groups: blocks[i],
      flops: 2 * gradients.size,
      bytes: 4 * gradients.size,
    });
    first += blocks[i];
  });
  const total = runtime.alloc([]);
  runtime.dispatch({
    shader: 'grad_norm_total',
    op: 'gradient norm, total',
    bindings: { partials, norm: total },
    params: { count },
    groups: 1,
  });
  partials.release();
  return total;
}

/** gradients ← gradients · min(1, maxNorm / (norm + 1e-6)), in place. */
export function scaleToNorm(
  runtime: Runtime,
  gradients: GpuArray,
  total: GpuArray,
  maxNorm: number,
): void {
  const vectors = gradients.size / 4;
  runtime.dispatch({
    shader: 'grad_norm_scale',
    op: 'gradient clipping',
    bindings: { gradients, norm: total },
    params: { vectors, max_norm: maxNorm },
    groups: Math.ceil(vectors / WORKGROUP),
    flops: gradients.size,
    bytes: 8 * gradients.size,
  });
}
