import { resize as resizeRecord, type ResizeOptions } from '../autograd/ops/resize.js';
import { applyOp, type Tensor } from '../tensor.js';

/**
 * Images of another size, by the nearest pixel or bilinear interpolation.
 *
 * y[n,p,q,c] = x at row src(p) and column src(q), src(p) = (p + ½) · H/P − ½, or with `alignCorners`
 * p · (H − 1)/(P − 1); no further out than the border
 *
 * 'nearest' (the default) takes pixel ⌊src + ½⌋, 'bilinear' mixes the four around.
 *
 * **Shapes** x [N H W C] → [N P Q C], P and Q given by `size`, or ⌊H · scale⌋ and ⌊W · scale⌋.
 * **Gradients** dx[n,h,w,c] = Σ of dy times the weights with which outputs read the pixel.
 * **Cost** 8 FLOP per output for 'bilinear', none for 'nearest'. **Saves** nothing.
 * **Errors** ShapeError if x is no batch of images, none or both of size and scale are given, a size
 * is not positive, or the mode is unknown.
 * **Source** bilinear interpolation: Press et al., Numerical Recipes, section 3.6.
 *
 * @example
 * const x = device.tensor([0, 4], [1, 1, 2, 1]);
 * await ops.resize(x, { size: [1, 4], mode: 'bilinear' }).data(); // [0, 1, 3, 4]
 */
export function resize(x: Tensor, options: ResizeOptions): Tensor {
  return applyOp(resizeRecord, { x }, options);
}
