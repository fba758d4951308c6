import { reshape as reshapeRecord } from '../autograd/ops/reshape.js';
import { axisOf } from '../autograd/shapes.js';
import { ShapeError } from '../gpu/errors.js';
import { applyOp, type Tensor } from '../tensor.js';

/**
 * The same elements in the same order under another shape.
 *
 * **Shapes** x of any shape → `shape`; one length may be −1 and is then worked out.
 * **Gradients** dx is dy under x's shape. **Cost** none: memory is shared.
 * **Errors** ShapeError where the numbers of elements differ.
 * **Source** NumPy's reshape.
 *
 * @example
 * reshape(device.arange([6]), [2, -1]).array(); // [[0, 1, 2], [3, 4, 5]]
 */
export function reshape(x: Tensor, shape: readonly number[]): Tensor {
  return applyOp(reshapeRecord, { x }, { shape });
}

/** [N, …] → [N, product of the rest]; see reshape. */
export function flatten(x: Tensor): Tensor {
  if (x.shape.length === 0) throw new ShapeError('flatten: x has no dimension');
  return reshape(x, [x.shape[0], x.size / x.shape[0]]);
}

/**
 * Without an axis of length 1, or without all of them.
 *
 * **Errors** ShapeError where the axis is longer than 1.
 */
export function squeeze(x: Tensor, { axis }: { axis?: number } = {}): Tensor {
  if (axis === undefined)
    return reshape(
      x,
      x.shape.filter((n) => n !== 1),
    );
  const index = axisOf('squeeze', axis, x.shape);
  if (x.shape[index] !== 1) {
    throw new ShapeError(
      `squeeze: axis ${axis} of x [${x.shape.join(' ')}] has length ${x.shape[index]}, expected 1`,
    );
  }
  return reshape(x, x.shape.toSpliced(index, 1));
}

/** With an axis of length 1 at `axis`; −1 adds it at the end. */
export function expandDims(x: Tensor, axis: number): Tensor {
  const rank = x.shape.length + 1;
  const index = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(index) || index < 0 || index >= rank) {
    throw new ShapeError(
      `expandDims: axis ${axis} does not fit x [${x.shape.join(' ')}], expected −${rank} … ${rank - 1}`,
    );
  }
  return reshape(x, x.shape.toSpliced(index, 0, 1));
}
