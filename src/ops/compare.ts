import { compareRecords } from '../autograd/ops/compare.js';
import { expectHoldable } from '../gpu/host_values.js';
import type { CompareName } from '../kernels/compare.js';
import { applyOp, Tensor } from '../tensor.js';
import { withScalar } from './with_scalar.js';

/**
 * Where a is smaller than b.
 *
 * y = 1 where a < b, else 0. Never where one is NaN.
 *
 * **Shapes** a and b (f32, i32 or u32, both alike) broadcast as in NumPy, up to 6 dimensions: aligned
 * at the right, lengths equal or 1. b may be a number. → f32. **Gradients** none. **Cost** one pass.
 * **Saves** nothing. **Errors** ShapeError if the shapes do not broadcast, the types differ, an
 * operand is empty, or b is a number that the type of a cannot hold.
 * **Source** NumPy manual, section Comparison.
 *
 * @example
 * await ops.less(device.tensor([1, 2, 3]), 2).array(); // [1, 0, 0]
 */
export function less(a: Tensor, b: Tensor | number): Tensor {
  return compare('less', a, b);
}

/**
 * Where a is at most b.
 *
 * y = 1 where a ≤ b, else 0. Never where one is NaN.
 *
 * **Shapes** a and b (f32, i32 or u32, both alike) broadcast as in NumPy, up to 6 dimensions: aligned
 * at the right, lengths equal or 1. b may be a number. → f32. **Gradients** none. **Cost** one pass.
 * **Saves** nothing. **Errors** ShapeError if the shapes do not broadcast, the types differ, an
 * operand is empty, or b is a number that the type of a cannot hold.
 * **Source** NumPy manual, section Comparison.
 *
 * @example
 * await ops.lessEqual(device.tensor([1, 2, 3]), 2).array(); // [1, 1, 0]
 */
export function lessEqual(a: Tensor, b: Tensor | number): Tensor {
  return compare('lessEqual', a, b);
}

/**
 * Where a is larger than b.
 *
 * y = 1 where a > b, else 0. Never where one is NaN.
 *
 * **Shapes** a and b (f32, i32 or u32, both alike) broadcast as in NumPy, up to 6 dimensions: aligned
 * at the right, lengths equal or 1. b may be a number. → f32. **Gradients** none. **Cost** one pass.
 * **Saves** nothing. **Errors** ShapeError if the shapes do not broadcast, the types differ, an
 * operand is empty, or b is a number that the type of a cannot hold.
 * **Source** NumPy manual, section Comparison.
 *
 * @example
 * await ops.greater(device.tensor([1, 2, 3]), 2).array(); // [0, 0, 1]
 */
export function greater(a: Tensor, b: Tensor | number): Tensor {
  return compare('greater', a, b);
}

/**
 * Where a is at least b.
 *
 * y = 1 where a ≥ b, else 0. Never where one is NaN.
 *
 * **Shapes** a and b (f32, i32 or u32, both alike) broadcast as in NumPy, up to 6 dimensions: aligned
 * at the right, lengths equal or 1. b may be a number. → f32. **Gradients** none. **Cost** one pass.
 * **Saves** nothing. **Errors** ShapeError if the shapes do not broadcast, the types differ, an
 * operand is empty, or b is a number that the type of a cannot hold.
 * **Source** NumPy manual, section Comparison.
 *
 * @example
 * await ops.greaterEqual(device.tensor([1, 2, 3]), 2).array(); // [0, 1, 1]
 */
export function greaterEqual(a: Tensor, b: Tensor | number): Tensor {
  return compare('greaterEqual', a, b);
}

/**
 * Where a equals b.
 *
 * y = 1 where a = b, else 0. Never where one is NaN.
 *
 * **Shapes** a and b (f32, i32 or u32, both alike) broadcast as in NumPy, up to 6 dimensions: aligned
 * at the right, lengths equal or 1. b may be a number. → f32. **Gradients** none. **Cost** one pass.
 * **Saves** nothing. **Errors** ShapeError if the shapes do not broadcast, the types differ, an
 * operand is empty, or b is a number that the type of a cannot hold.
 * **Source** NumPy manual, section Comparison.
 *
 * @example
 * await ops.equal(device.tensor([1, 2, 3]), 2).array(); // [0, 1, 0]
 */
export function equal(a: Tensor, b: Tensor | number): Tensor {
  return compare('equal', a, b);
}

/**
 * Where a differs from b.
 *
 * y = 1 where a ≠ b, else 0. A NaN differs from everything, itself included.
 *
 * **Shapes** a and b (f32, i32 or u32, both alike) broadcast as in NumPy, up to 6 dimensions: aligned
 * at the right, lengths equal or 1. b may be a number. → f32. **Gradients** none. **Cost** one pass.
 * **Saves** nothing. **Errors** ShapeError if the shapes do not broadcast, the types differ, an
 * operand is empty, or b is a number that the type of a cannot hold.
 * **Source** NumPy manual, section Comparison.
 *
 * @example
 * await ops.notEqual(device.tensor([1, 2, 3]), 2).array(); // [1, 0, 1]
 */
export function notEqual(a: Tensor, b: Tensor | number): Tensor {
  return compare('notEqual', a, b);
}

function compare(name: CompareName, a: Tensor, b: Tensor | number): Tensor {
  const dtype = a instanceof Tensor ? a.dtype : 'f32';
  if (typeof b === 'number') expectHoldable(name, b, dtype);
  return withScalar(a, b, (right) => applyOp(compareRecords[name], { a, b: right }, {}), dtype);
}
