import { ShapeError } from '../errors.js';
import type { DType } from '../gpu/array.js';
import { broadcastGeometry, type BroadcastGeometry } from '../kernels/lib/broadcast.js';
import type { InputMetas, Meta } from './record.js';
import { axisOf, expectDtype } from './shapes.js';

/** Checks of inputs of any rank: not empty, shapes that broadcast, axes to reduce. */

/** `x [2 3 4]` */
export function labelAny(name: string, meta: Meta): string {
  return `${name} [${meta.shape.join(' ')}]`;
}

/** The input, checked to be present, not empty and of a type that the op takes. */
export function expectElements(
  op: string,
  name: string,
  meta: Meta | undefined,
  dtypes: readonly DType[] = ['f32'],
): Meta {
  if (!meta) throw new ShapeError(`${op}: ${name} is missing`);
  expectDtype(op, name, meta, dtypes);
  if (meta.shape.includes(0)) {
    throw new ShapeError(
      `${op}: expected at least one element, got an empty ${labelAny(name, meta)}`,
      'check the batch that came in: it holds no example',
    );
  }
  return meta;
}

export interface BroadcastPlan {
  shape: readonly number[];
  geometry: BroadcastGeometry;
}

/** The shape that all `names` broadcast to, as in NumPy, and how each is read. */
export function expectBroadcast(
  op: string,
  names: readonly string[],
  inputs: InputMetas,
): BroadcastPlan {
  const metas = names.map((name) => inputs[name]!);
  const shapes = metas.map((meta, i) => labelAny(names[i], meta)).join(', ');
  const rank = Math.max(...metas.map((meta) => meta.shape.length));
  if (rank > 6) {
    throw new ShapeError(`${op}: expected at most 6 dimensions, got ${rank} (${shapes})`);
  }
  const shape = Array.from({ length: rank }, (_, axis) => {
    const lengths = metas.map((meta) => meta.shape[axis - rank + meta.shape.length] ?? 1);
    const longest = Math.max(...lengths);
    if (lengths.every((length) => length === 1 || length === longest)) return longest;
    throw new ShapeError(
      `${op}: shapes do not broadcast, dimension ${axis - rank} is ${lengths.join(' and ')} (${shapes})`,
      'from the last dimension on, lengths must be equal or 1: reshape, or expandDims where one is missing',
    );
  });
  const geometry = broadcastGeometry(
    shape,
    metas.map((meta) => meta.shape),
  );
  return { shape, geometry };
}

/** The axes of a reduction, not negative and in order; all of them if none is named. */
export function expectAxes(
  op: string,
  axis: number | readonly number[] | undefined,
  shape: readonly number[],
): number[] {
  if (axis === undefined) return shape.map((_, each) => each);
  const given = typeof axis === 'number' ? [axis] : axis;
  const axes = given.map((each) => axisOf(op, each, shape));
  if (new Set(axes).size < axes.length) {
    throw new ShapeError(
      `${op}: axis [${given.join(', ')}] names a dimension twice (x [${shape.join(' ')}])`,
    );
  }
  return axes.sort((a, b) => a - b);
}

/** The shape after reducing `axes`. */
export function reducedShape(
  shape: readonly number[],
  axes: readonly number[],
  keepDims: boolean,
): number[] {
  if (keepDims) return shape.map((length, axis) => (axes.includes(axis) ? 1 : length));
  return shape.filter((_, axis) => !axes.includes(axis));
}
