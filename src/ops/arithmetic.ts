import { binaryRecords } from '../autograd/ops/binary.js';
import { where as whereRecord } from '../autograd/ops/where.js';
import type { BinaryName } from '../kernels/binary.js';
import { withScalar } from './with_scalar.js';
import { applyOp, type Tensor } from '../tensor.js';

/**
 * Adds.
 *
 * y = a + b
 *
 * **Shapes** a and b broadcast as in NumPy, up to 6 dimensions: aligned at the right, lengths equal
 * or 1. b may be a number. **Gradients** da = dy, db = dy; each summed over
 * what its operand was repeated along. **Cost** one pass. **Saves** nothing.
 * **Errors** ShapeError if the shapes do not broadcast, an operand is empty or not f32.
 * **Source** NumPy manual, section Broadcasting.
 *
 * @example
 * await ops.add(device.tensor([[1, 2], [3, 4]]), device.tensor([10, 20])).array(); // [[11, 22], [13, 24]]
 */
export function add(a: Tensor, b: Tensor | number): Tensor {
  return binary('add', a, b);
}

/**
 * Subtracts.
 *
 * y = a − b
 *
 * **Shapes** a and b broadcast as in NumPy, up to 6 dimensions: aligned at the right, lengths equal
 * or 1. b may be a number. **Gradients** da = dy, db = −dy; each summed over
 * what its operand was repeated along. **Cost** one pass. **Saves** nothing.
 * **Errors** ShapeError if the shapes do not broadcast, an operand is empty or not f32.
 * **Source** NumPy manual, section Broadcasting.
 *
 * @example
 * await ops.sub(device.tensor([3, 4]), 1).array(); // [2, 3]
 */
export function sub(a: Tensor, b: Tensor | number): Tensor {
  return binary('sub', a, b);
}

/**
 * Multiplies element by element.
 *
 * y = a · b
 *
 * **Shapes** a and b broadcast as in NumPy, up to 6 dimensions: aligned at the right, lengths equal
 * or 1. b may be a number. **Gradients** da = dy · b, db = dy · a; each summed over
 * what its operand was repeated along. **Cost** one pass. **Saves** the other operand.
 * **Errors** ShapeError if the shapes do not broadcast, an operand is empty or not f32.
 * **Source** NumPy manual, section Broadcasting.
 *
 * @example
 * await ops.mul(device.tensor([3, 4]), 2).array(); // [6, 8]
 */
export function mul(a: Tensor, b: Tensor | number): Tensor {
  return binary('mul', a, b);
}

/**
 * Divides.
 *
 * y = a / b
 *
 * **Shapes** a and b broadcast as in NumPy, up to 6 dimensions: aligned at the right, lengths equal
 * or 1. b may be a number. **Gradients** da = dy / b, db = −dy · a / b²; each summed over
 * what its operand was repeated along. **Cost** one pass. **Saves** b, and a where b needs a gradient.
 * **Errors** ShapeError if the shapes do not broadcast, an operand is empty or not f32.
 * **Source** NumPy manual, section Broadcasting.
 *
 * @example
 * await ops.div(device.tensor([3, 4]), 2).array(); // [1.5, 2]
 */
export function div(a: Tensor, b: Tensor | number): Tensor {
  return binary('div', a, b);
}

/**
 * Raises a to the power b. A negative a has a power where b is a whole number, else NaN.
 *
 * y = a^b
 *
 * **Shapes** a and b broadcast as in NumPy, up to 6 dimensions: aligned at the right, lengths equal
 * or 1. b may be a number. **Gradients** da = dy · b · a^(b−1), db = dy · a^b · ln a (NaN where a < 0); each summed over
 * what its operand was repeated along. **Cost** one pass. **Saves** a and b.
 * **Errors** ShapeError if the shapes do not broadcast, an operand is empty or not f32.
 * **Source** NumPy manual, section Broadcasting.
 *
 * @example
 * await ops.pow(device.tensor([-3, 4]), 2).array(); // [9, 16]
 */
export function pow(a: Tensor, b: Tensor | number): Tensor {
  return binary('pow', a, b);
}

/**
 * The larger of two.
 *
 * y = max(a, b)
 *
 * **Shapes** a and b broadcast as in NumPy, up to 6 dimensions: aligned at the right, lengths equal
 * or 1. b may be a number. **Gradients** dy to the larger, half each where they tie; each summed over
 * what its operand was repeated along. **Cost** one pass. **Saves** a and b.
 * **Errors** ShapeError if the shapes do not broadcast, an operand is empty or not f32.
 * **Source** NumPy manual, section Broadcasting.
 *
 * @example
 * await ops.maximum(device.tensor([3, 4]), device.tensor([5, 1])).array(); // [5, 4]
 */
export function maximum(a: Tensor, b: Tensor | number): Tensor {
  return binary('maximum', a, b);
}

/**
 * The smaller of two.
 *
 * y = min(a, b)
 *
 * **Shapes** a and b broadcast as in NumPy, up to 6 dimensions: aligned at the right, lengths equal
 * or 1. b may be a number. **Gradients** dy to the smaller, half each where they tie; each summed over
 * what its operand was repeated along. **Cost** one pass. **Saves** a and b.
 * **Errors** ShapeError if the shapes do not broadcast, an operand is empty or not f32.
 * **Source** NumPy manual, section Broadcasting.
 *
 * @example
 * await ops.minimum(device.tensor([3, 4]), device.tensor([5, 1])).array(); // [3, 1]
 */
export function minimum(a: Tensor, b: Tensor | number): Tensor {
  return binary('minimum', a, b);
}

function binary(name: BinaryName, a: Tensor, b: Tensor | number): Tensor {
  return withScalar(a, b, (right) => applyOp(binaryRecords[name], { a, b: right }, {}));
}

/**
 * Chooses between two tensors, element by element.
 *
 * y = condition ≠ 0 ? a : b
 *
 * **Shapes** condition (u32, i32 or f32), a and b broadcast as in NumPy, up to 6 dimensions; a and b
 * may be numbers. **Gradients** da = dy where a was chosen, db = dy where b was, else 0; each summed
 * over what its operand was repeated along. **Cost** one pass. **Saves** condition.
 * **Errors** ShapeError if the shapes do not broadcast, or a or b is not f32.
 * **Source** NumPy manual, numpy.where.
 *
 * @example
 * const condition = device.tensor([1, 0], [2], { dtype: 'u32' });
 * await ops.where(condition, device.tensor([3, 4]), -1).array(); // [3, -1]
 */
export function where(condition: Tensor, a: Tensor | number, b: Tensor | number): Tensor {
  return withScalar(condition, a, (left) =>
    withScalar(condition, b, (right) => applyOp(whereRecord, { condition, a: left, b: right }, {})),
  );
}
