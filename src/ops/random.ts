import { augment as augmentRecord, type AugmentOptions } from '../autograd/ops/augment.js';
import { dropout as dropoutRecord, type DropoutOptions } from '../autograd/ops/dropout.js';
import { applyOp, type Tensor } from '../tensor.js';

/**
 * Sets a random share of the values to zero and scales the others up, so that sums keep their
 * expected value (inverted dropout).
 *
 * y[i] = x[i] · mask[i] / (1 − rate), mask[i] = 0 with probability `rate`, else 1
 *
 * The mask is the next draw of the device's random stream; with `training: false` y = x and
 * nothing is drawn.
 *
 * **Shapes** x [any] → the same. **Gradients** dx[i] = dy[i] · mask[i] / (1 − rate).
 * **Cost** one multiplication per element; 8 bytes per element. **Saves** 16 bytes, from which the
 * mask is recomputed. **Errors** ShapeError if rate is not in [0, 1).
 * **Source** Srivastava et al., JMLR 15 (2014), section 4.
 *
 * @example
 * const device = await createDevice({ seed: 7 });
 * const x = device.ones([8]);
 * await ops.dropout(x, { rate: 0.5 }).data(); // [2, 2, 0, 0, 0, 2, 0, 2]
 */
export function dropout(x: Tensor, options: DropoutOptions): Tensor {
  return applyOp(dropoutRecord, { x }, options);
}

/**
 * Images of bytes as floats in [0, 1], in the size asked for, each changed at random: mirrored,
 * shifted, turned, zoomed, brightened, bent by a distorted grid or an elastic field.
 *
 * y[n, i, j, c] = (clamp(brightness[n] · scale · x(n, source(n, i, j), c)) − mean[c]) / deviation[c]
 *
 * x between its pixels is bilinear. The source of a pixel is its own position, distorted, shifted,
 * rotated and zoomed about the centre, and flipped; docs/ops/augment.md has the formulas. The random
 * numbers are the next draw of the device's random stream; with `training: false`, or settings that ask
 * for nothing, images are only resized and normalised, and nothing is drawn. In the same size that is
 * the cast to f32, bit for bit.
 *
 * **Shapes** images u8 [N h w C], or any shape with `imageShape`, C at most 4 → f32 [N H W C].
 * **Gradients** none: bytes do not move continuously. **Cost** about 25 FLOP per element; a byte an
 * element in, 4 bytes per element out. **Saves** nothing. **Errors** ShapeError for images that are no
 * whole ones, or numbers that do not fit their channels; UsageError for settings out of range.
 * **Source** Simard, Steinkraus, Platt, ICDAR 2003, section 2 (elastic); docs/ops/augment.md.
 *
 * @example
 * const images = device.tensor(Uint8Array.of(0, 128), [1, 1, 2, 1]);
 * await ops.augment(images, { size: [1, 4], scale: 1 / 32 }).data(); // [0, 1, 3, 4]
 * await ops.augment(images, { settings: { flip: 1 }, scale: 1 / 32 }).data(); // [4, 0]
 */
export function augment(images: Tensor, options: AugmentOptions = {}): Tensor {
  return applyOp(augmentRecord, { images }, options);
}
