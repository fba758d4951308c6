import { type DType, type GpuArray, sizeOf } from '../gpu/array.js';
import type { Runtime } from '../gpu/runtime.js';
import {
  boxParams,
  chooseBoxVariant,
  copyElem,
  type BoxGeometry,
  type CopyVariant,
} from './lib/box_geometry.js';

const WORKGROUP = 64;

/** x [inner] in the middle of `value`; f32, i32 or u32 → [outer] as `shape`. */
export function padForward(
  runtime: Runtime,
  x: GpuArray,
  shape: readonly number[],
  box: BoxGeometry,
  value = 0,
  variant: CopyVariant = chooseBoxVariant(box),
): GpuArray {
  const y = runtime.alloc(shape, x.dtype);
  const { outer, inner, begin } = boxParams(box, variant);
  const threads = sizeOf(outer);
  runtime.dispatch({
    shader: 'pad_forward_naive',
    op: 'pad',
    tune: { Elem: copyElem(variant) },
    bindings: { x, y },
    params: { outer, inner, begin, size: threads, value: bitsOf(value, x.dtype) },
    groups: Math.ceil(threads / WORKGROUP),
    bytes: 4 * (x.size + y.size),
  });
  return y;
}

/** The word that holds a value of a type of four bytes. */
function bitsOf(value: number, dtype: DType): number {
  const word = new ArrayBuffer(4);
  if (dtype === 'f32') new Float32Array(word)[0] = value;
  else new Int32Array(word)[0] = value;
  return new Uint32Array(word)[0];
}
