import type { DType } from '../gpu/array.js';
import { fillArray } from '../kernels/fill.js';
import { Tensor } from '../tensor.js';

/** Runs `fn` with `value` as a tensor: a number becomes a scalar next to `beside`, f32 by default. */
export function withScalar(
  beside: Tensor,
  value: Tensor | number,
  fn: (value: Tensor) => Tensor,
  dtype: DType = 'f32',
): Tensor {
  if (typeof value !== 'number' || !(beside instanceof Tensor)) return fn(value as Tensor);
  const { runtime } = beside;
  const scalar = Tensor.own(runtime, fillArray(runtime, [], dtype, value));
  // What backward wants of it, the tape holds by itself.
  try {
    return fn(scalar);
  } finally {
    scalar.dispose();
  }
}
