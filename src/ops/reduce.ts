import {
  argMax as argMaxRecord,
  argMin as argMinRecord,
  type ArgMaxOptions,
} from '../autograd/ops/arg_max.js';
import {
  reduceRecords,
  type ReduceName,
  type ReduceOptions,
  type VarianceOptions,
} from '../autograd/ops/reduce.js';
import { applyOp, type Tensor } from '../tensor.js';

/**
 * Sums over axes, in a fixed order.
 *
 * y[o] = Σ_r x[o, r]
 *
 * **Shapes** x of any shape → x's shape without `axis` (one or several, negative ones counted from
 * the end; all if absent), or with ones in their places under keepDims.
 * **Gradients** dx = dy. **Cost** L FLOP, L elements. **Saves** nothing.
 * **Errors** ShapeError if an axis does not exist or is named twice, or x is empty or not f32.
 * **Source** elementary.
 *
 * @example
 * await ops.sum(device.tensor([[1, 2], [3, 6]]), { axis: 0 }).array(); // [4, 8]
 */
export function sum(x: Tensor, options: ReduceOptions = {}): Tensor {
  return reduce('sum', x, options);
}

/**
 * Averages over axes.
 *
 * y[o] = Σ_r x[o, r] / R, R terms
 *
 * **Shapes** x of any shape → x's shape without `axis` (one or several, negative ones counted from
 * the end; all if absent), or with ones in their places under keepDims.
 * **Gradients** dx = dy / R. **Cost** L FLOP, L elements. **Saves** nothing.
 * **Errors** ShapeError if an axis does not exist or is named twice, or x is empty or not f32.
 * **Source** elementary.
 *
 * @example
 * await ops.mean(device.tensor([[1, 2], [3, 6]])).array(); // 3
 */
export function mean(x: Tensor, options: ReduceOptions = {}): Tensor {
  return reduce('mean', x, options);
}

/**
 * The largest element along axes.
 *
 * y[o] = max_r x[o, r]
 *
 * **Shapes** x of any shape → x's shape without `axis` (one or several, negative ones counted from
 * the end; all if absent), or with ones in their places under keepDims.
 * **Gradients** dy to the largest, shared evenly if several tie. **Cost** L FLOP, L elements. **Saves** x and y.
 * **Errors** ShapeError if an axis does not exist or is named twice, or x is empty or not f32.
 * **Source** elementary.
 *
 * @example
 * await ops.max(device.tensor([[1, 2], [3, 6]]), { axis: 1 }).array(); // [2, 6]
 */
export function max(x: Tensor, options: ReduceOptions = {}): Tensor {
  return reduce('max', x, options);
}

/**
 * The smallest element along axes.
 *
 * y[o] = min_r x[o, r]
 *
 * **Shapes** x of any shape → x's shape without `axis` (one or several, negative ones counted from
 * the end; all if absent), or with ones in their places under keepDims.
 * **Gradients** dy to the smallest, shared evenly if several tie. **Cost** L FLOP, L elements. **Saves** x and y.
 * **Errors** ShapeError if an axis does not exist or is named twice, or x is empty or not f32.
 * **Source** elementary.
 *
 * @example
 * await ops.min(device.tensor([[1, 2], [3, 6]]), { axis: 1 }).array(); // [1, 3]
 */
export function min(x: Tensor, options: ReduceOptions = {}): Tensor {
  return reduce('min', x, options);
}

/**
 * Multiplies over axes, in a fixed order.
 *
 * y[o] = Π_r x[o, r]
 *
 * **Shapes** x of any shape → x's shape without `axis` (one or several, negative ones counted from
 * the end; all if absent), or with ones in their places under keepDims.
 * **Gradients** dx[o, r] = dy[o] · Π_{s ≠ r} x[o, s], right where elements are 0 too.
 * **Cost** L FLOP, L elements. **Saves** x.
 * **Errors** ShapeError if an axis does not exist or is named twice, or x is empty or not f32.
 * **Source** elementary.
 *
 * @example
 * await ops.prod(device.tensor([[1, 2], [3, 6]]), { axis: 0 }).array(); // [3, 12]
 */
export function prod(x: Tensor, options: ReduceOptions = {}): Tensor {
  return reduce('prod', x, options);
}

/**
 * The variance along axes, in two passes: the mean first, then the distances from it.
 *
 * y[o] = Σ_r (x[o, r] − mean[o])² / (R − correction), R terms; correction = 0 unless given
 *
 * **Shapes** x of any shape → x's shape without `axis` (one or several, negative ones counted from
 * the end; all if absent), or with ones in their places under keepDims.
 * **Gradients** dx = dy · 2 · (x − mean) / (R − correction). **Cost** 4·L FLOP, L elements. **Saves** x and the means.
 * **Errors** ShapeError if an axis does not exist or is named twice,
 * correction leaves no term, or x is empty or not f32.
 * **Source** Welford 1962, section 1.
 *
 * @example
 * await ops.variance(device.tensor([[1, 2], [3, 6]]), { axis: 0, correction: 1 }).array(); // [2, 8]
 */
export function variance(x: Tensor, options: VarianceOptions = {}): Tensor {
  return reduce('variance', x, options);
}

/**
 * Index of the largest element along an axis, the first if several tie.
 *
 * y[o] = the least r with x[o, r] = max_s x[o, s]
 *
 * A NaN counts as the largest, as it does in max: the result is the index of the first NaN.
 *
 * **Shapes** x of any shape → i32 of x's shape without `axis`, or with 1 in its place under keepDims;
 * without `axis` the index into x flattened. **Gradients** none. **Cost** L comparisons.
 * **Saves** nothing. **Errors** ShapeError if the axis does not exist, or x is empty or not f32.
 * **Source** NumPy manual, numpy.argmax.
 *
 * @example
 * await ops.argmax(device.tensor([[1, 5], [7, 7]]), { axis: 1 }).array(); // [1, 0]
 */
export function argmax(x: Tensor, options: ArgMaxOptions = {}): Tensor {
  return applyOp(argMaxRecord, { x }, options);
}

/**
 * Index of the smallest element along an axis, the first if several tie.
 *
 * y[o] = the least r with x[o, r] = min_s x[o, s]
 *
 * A NaN counts as the smallest, as it does in min: the result is the index of the first NaN.
 *
 * **Shapes** x of any shape → i32 of x's shape without `axis`, or with 1 in its place under keepDims;
 * without `axis` the index into x flattened. **Gradients** none. **Cost** L comparisons.
 * **Saves** nothing. **Errors** ShapeError if the axis does not exist, or x is empty or not f32.
 * **Source** NumPy manual, numpy.argmin.
 *
 * @example
 * await ops.argmin(device.tensor([[1, 5], [7, 7]]), { axis: 1 }).array(); // [0, 0]
 */
export function argmin(x: Tensor, options: ArgMaxOptions = {}): Tensor {
  return applyOp(argMinRecord, { x }, options);
}

function reduce(name: ReduceName, x: Tensor, options: VarianceOptions): Tensor {
  return applyOp(reduceRecords[name], { x }, options);
}
