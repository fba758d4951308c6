/** NumPy broadcasting: align shapes at the right; an axis of length 1 is repeated. */
import { forEachIndex, stridesOf } from './arrays.js';

/** The shape several shapes broadcast to. */
export function broadcastShapes(...shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, axis) => {
    const lengths = shapes.map((shape) => shape[axis - rank + shape.length] ?? 1);
    const stretched = lengths.filter((length) => length !== 1);
    if (stretched.some((length) => length !== stretched[0])) {
      throw new Error(`reference: shapes [${shapes.join('] [')}] do not broadcast`);
    }
    return stretched[0] ?? 1;
  });
}

/**
 * For each element of `shape`, the flat index of the element of `from` it reads. The same list serves the gradient: an
 * element that is read several times receives the sum of those gradients.
 */
export function broadcastIndices(from: readonly number[], shape: readonly number[]): Int32Array {
  const strides = stridesOf(from);
  const skipped = shape.length - from.length;
  const indices: number[] = [];
  forEachIndex(shape, (_, index) => {
    let flat = 0;
    from.forEach((length, axis) => {
      if (length > 1) flat += index[axis + skipped] * strides[axis];
    });
    indices.push(flat);
  });
  return Int32Array.from(indices);
}
