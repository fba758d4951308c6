import { type GpuArray, sizeOf } from '../gpu/array.js';
import type { Runtime } from '../gpu/runtime.js';
import {
  boxParams,
  chooseBoxVariant,
  copyElem,
  type BoxGeometry,
  type CopyVariant,
} from './lib/box_geometry.js';

const WORKGROUP = 64;

/** A box of x; f32, i32 or u32 [outer] → [inner] as `shape`. */
export function sliceForward(
  runtime: Runtime,
  x: GpuArray,
  shape: readonly number[],
  box: BoxGeometry,
  variant: CopyVariant = chooseBoxVariant(box),
): GpuArray {
  const y = runtime.alloc(shape, x.dtype);
  const { outer, inner, begin } = boxParams(box, variant);
  const threads = sizeOf(inner);
  runtime.dispatch({
    shader: 'slice_forward_naive',
    op: 'slice',
    tune: { Elem: copyElem(variant) },
    bindings: { x, y },
    params: { outer, inner, begin, size: threads },
    groups: Math.ceil(threads / WORKGROUP),
    bytes: 8 * y.size,
  });
  return y;
}
