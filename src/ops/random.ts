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
 * **Cost** one multiplication an element; 8 bytes an element. **Saves** 16 bytes, from which the
 * mask is made again. **Errors** ShapeError where rate is not in [0, 1).
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
