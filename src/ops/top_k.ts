import { topK as topKRecord, type TopKOptions } from '../autograd/ops/top_k.js';
import { applyOp, type Tensor } from '../tensor.js';
import { takeAlongAxis } from './take_along_axis.js';

/** The k largest elements along an axis, and where they are. */
export interface TopKResult {
  /** Largest first. */
  values: Tensor;
  /** i32, of the same shape. */
  indices: Tensor;
}

/**
 * The k largest elements along an axis with their indices, largest first.
 *
 * indices[o, j] = the r of the j-th largest x[o, r];   values[o, j] = x[o, indices[o, j]]
 *
 * Of equal elements the first comes first; a NaN counts as larger than every number, as in argmax.
 *
 * **Shapes** x of any shape → values, and i32 indices, of x's shape with k in place of the length of `axis`.
 * **Gradients** dx[o, indices[o, j]] = dvalues[o, j], and 0 elsewhere; indices have none.
 * **Cost** k·L comparisons. **Saves** indices.
 * **Errors** ShapeError if k is not an integer from 1 to the length of the axis, the axis does not exist,
 * or x is empty or not f32.
 * **Source** PyTorch manual, torch.topk.
 *
 * @example
 * const { values, indices } = ops.topK(device.tensor([[1, 5, 3]]), { k: 2 });
 * await values.array(); // [[5, 3]]
 * await indices.array(); // [[1, 2]]
 */
export function topK(x: Tensor, options: TopKOptions): TopKResult {
  const indices = applyOp(topKRecord, { x }, options);
  return { values: takeAlongAxis(x, indices, { axis: options.axis ?? -1 }), indices };
}
