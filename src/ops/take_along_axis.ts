import {
  takeAlongAxis as takeAlongAxisRecord,
  type TakeAlongAxisOptions,
} from '../autograd/ops/take_along_axis.js';
import { applyOp, type Tensor } from '../tensor.js';

/**
 * Reads along one axis, each row with indices of its own. See gather for the same indices everywhere.
 *
 * y[o, p, i] = x[o, indices[o, p, i], i]
 *
 * Negative indices count from the end. Where an index is out of range, y is NaN, or of integers the smallest
 * i32 or the largest u32.
 *
 * **Shapes** x f32, i32 or u32 of any shape; indices i32 or u32, of x's shape but along `axis` → the shape
 * of indices. **Gradients** dx[o, l, i] = Σ_{p: indices[o, p, i] = l} dy[o, p, i].
 * **Cost** 12 bytes an element. **Saves** indices.
 * **Errors** ShapeError if the axis does not exist, the shapes do not fit, or one is empty or of another type.
 * **Source** NumPy manual, numpy.take_along_axis.
 *
 * @example
 * const x = device.tensor([[1, 5], [7, 3]]);
 * const indices = device.tensor([[1], [0]], undefined, { dtype: 'i32' });
 * await ops.takeAlongAxis(x, indices).array(); // [[5], [7]]
 */
export function takeAlongAxis(
  x: Tensor,
  indices: Tensor,
  options: TakeAlongAxisOptions = {},
): Tensor {
  return applyOp(takeAlongAxisRecord, { x, indices }, options);
}
