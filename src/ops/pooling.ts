import {
  globalAvgPool2d as globalAvgPool2dRecord,
  globalMaxPool2d as globalMaxPool2dRecord,
  type GlobalPool2dOptions,
} from '../autograd/ops/global_pool2d.js';
import {
  avgPool2d as avgPool2dRecord,
  maxPool2d as maxPool2dRecord,
  maxPool2dIndices as maxPool2dIndicesRecord,
  type Pool2dOptions,
} from '../autograd/ops/pool2d.js';
import { applyOp, type Tensor } from '../tensor.js';

/** Options of max pooling. */
export type MaxPool2dOptions = Omit<Pool2dOptions, 'countIncludePad'>;
export type AvgPool2dOptions = Pool2dOptions;

/**
 * The maximum of every window of an image, per channel.
 *
 * y[n,p,q,c] = max_{r,s} x[n, p·strideH + r·dilationH − padTop, q·strideW + s·dilationW − padLeft, c], over
 * pixels inside the image
 *
 * **Shapes** x [N H W C] → [N P Q C]; 'same' gives P = ceil(H / stride), else
 * P = floor((H + pad − (R − 1)·dilation − 1) / stride) + 1. `stride` is the window's size where it is
 * left out. With `ceilMode` the quotient is rounded up, as long as the last window begins on the image
 * or the padding in front of it.
 * **Gradients** dx: each dy goes to the maximum of its window, the first in row-major order where
 * several are equal. **Cost** N·P·Q·C·R·S comparisons. **Saves** the place of each maximum, i32 [N P Q C].
 * **Errors** ShapeError if the window is larger than the padded image, one lies on padding alone,
 * or a stride or dilation is not positive.
 * **Source** arXiv:1603.07285.
 *
 * @example
 * const x = device.arange([1, 4, 4, 1]);
 * await ops.maxPool2d(x, { size: 2 }).array(); // [[[[5],[7]],[[13],[15]]]]
 */
export function maxPool2d(x: Tensor, options: MaxPool2dOptions): Tensor {
  return applyOp(maxPool2dRecord, { x }, options);
}

/**
 * Positions of the maxima of maxPool2d, as unpooling needs them.
 *
 * y[n,p,q,c] = h·W + w of the first largest x in window (p, q), the last NaN if there is one
 *
 * **Shapes** x [N H W C] → i32 [N P Q C], with the options of maxPool2d. **Gradients** none.
 * **Cost** that of maxPool2d. **Saves** nothing. **Errors** those of maxPool2d.
 * **Source** arXiv:1603.07285, section 3.
 *
 * @example
 * const x = device.tensor([1, 5, 2, 3], [1, 2, 2, 1]);
 * await ops.maxPool2dIndices(x, { size: 2 }).data(); // [1]
 */
export function maxPool2dIndices(x: Tensor, options: MaxPool2dOptions): Tensor {
  return applyOp(maxPool2dIndicesRecord, { x }, options);
}

/**
 * The average of every window of an image, per channel.
 *
 * y[n,p,q,c] = 1/count(p,q) · Σ_{r,s} x[n, p·strideH + r − padTop, q·strideW + s − padLeft, c]
 *
 * count(p,q) is the number of the window's pixels inside the image, with `countIncludePad` those on the
 * padding too. `dilation` and `ceilMode` as in maxPool2d.
 *
 * **Shapes** x [N H W C] → [N P Q C], as maxPool2d.
 * **Gradients** dx[n,h,w,c] = Σ dy[n,p,q,c] / count(p,q) over the windows that cover (h, w).
 * **Cost** N·P·Q·C·R·S additions. **Saves** nothing.
 * **Errors** ShapeError, as maxPool2d. **Source** arXiv:1603.07285.
 *
 * @example
 * const x = device.arange([1, 4, 4, 1]);
 * await ops.avgPool2d(x, { size: 2 }).array(); // [[[[2.5],[4.5]],[[10.5],[12.5]]]]
 */
export function avgPool2d(x: Tensor, options: AvgPool2dOptions): Tensor {
  return applyOp(avgPool2dRecord, { x }, options);
}

/**
 * The mean of each channel over all pixels.
 *
 * y[n,c] = 1/(H·W) · Σ_{h,w} x[n,h,w,c]
 *
 * **Shapes** x [N H W C] → [N C]. **Gradients** dx[n,h,w,c] = dy[n,c] / (H·W).
 * **Cost** N·H·W·C additions. **Saves** nothing. **Errors** ShapeError if x is no batch of images.
 * **Source** arXiv:1312.4400, section 3.2.
 *
 * @example
 * const x = device.arange([1, 2, 2, 2]);
 * await ops.globalAvgPool2d(x).array(); // [[3, 4]]
 */
export function globalAvgPool2d(x: Tensor, options: GlobalPool2dOptions = {}): Tensor {
  return applyOp(globalAvgPool2dRecord, { x }, options);
}

/**
 * The largest value of each channel over all pixels.
 *
 * y[n,c] = max_{h,w} x[n,h,w,c]
 *
 * **Shapes** x [N H W C] → [N C]. **Gradients** dx: dy at the first largest pixel, 0 elsewhere.
 * **Cost** N·H·W·C comparisons. **Saves** the pixel of each maximum, u32 [N C].
 * **Errors** ShapeError if x is no batch of images. **Source** arXiv:1312.4400, section 3.2.
 *
 * @example
 * const x = device.arange([1, 2, 2, 2]);
 * await ops.globalMaxPool2d(x).array(); // [[6, 7]]
 */
export function globalMaxPool2d(x: Tensor, options: GlobalPool2dOptions = {}): Tensor {
  return applyOp(globalMaxPool2dRecord, { x }, options);
}
