import { type GpuArray, sizeOf } from '../gpu/array.js';
import type { Runtime } from '../gpu/runtime.js';
import { copyElem, type CopyVariant } from './lib/box_geometry.js';

const WORKGROUP = 64;

/** Elements of each input, and of y, for one index of the axes before the joined one. */
export interface ConcatGeometry {
  rows: number;
  widths: readonly number[];
  width: number;
}

export function concatGeometry(
  shapes: readonly (readonly number[])[],
  axis: number,
): ConcatGeometry {
  const widths = shapes.map((shape) => sizeOf(shape.slice(axis)));
  const width = widths.reduce((a, b) => a + b, 0);
  return { rows: sizeOf(shapes[0].slice(0, axis)), widths, width };
}

/** True if vectors of four elements can be copied; every part then also begins at one. */
export function fitsConcatVectors({ widths }: ConcatGeometry): boolean {
  return widths.every((width) => width % 4 === 0);
}

/** Joins arrays of one type, f32, i32 or u32, with one dispatch per input. */
export function concatForward(
  runtime: Runtime,
  inputs: readonly GpuArray[],
  shape: readonly number[],
  geometry: ConcatGeometry,
  variant: CopyVariant = fitsConcatVectors(geometry) ? 'vec4' : 'naive',
): GpuArray {
  const y = runtime.alloc(shape, inputs[0].dtype);
  const step = variant === 'vec4' ? 4 : 1;
  let first = 0;
  inputs.forEach((x, i) => {
    const threads = x.size / step;
    runtime.dispatch({
      shader: 'concat_forward_naive',
      op: 'concat',
      tune: { Elem: copyElem(variant) },
      bindings: { x, y },
      params: {
        size: threads,
        x_width: geometry.widths[i] / step,
        y_width: geometry.width / step,
        first: first / step,
      },
      groups: Math.ceil(threads / WORKGROUP),
      bytes: 8 * x.size,
    });
    first += geometry.widths[i];
  });
  return y;
}
