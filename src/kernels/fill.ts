import { ShapeError } from '../errors.js';
import { bytesPerElement, type DType, type GpuArray, sizeOf } from '../gpu/array.js';
import type { Runtime } from '../gpu/runtime.js';

const WORKGROUP = 64;

/** A new array whose elements are all `value`. */
export function fillArray(
  runtime: Runtime,
  shape: readonly number[],
  dtype: DType,
  value: number,
): GpuArray {
  return arangeArray(runtime, shape, dtype, value, 0);
}

/** A new array start, start + step, start + 2·step … in row-major order. */
export function arangeArray(
  runtime: Runtime,
  shape: readonly number[],
  dtype: DType,
  start: number,
  step: number,
): GpuArray {
  const array = runtime.alloc(shape, dtype);
  writeArange(runtime, array, start, step);
  return array;
}

/** Overwrites every element of `array` with `value`. */
export function refillArray(runtime: Runtime, array: GpuArray, value: number): void {
  writeArange(runtime, array, value, 0);
}

function writeArange(runtime: Runtime, array: GpuArray, start: number, step: number): void {
  const { dtype } = array;
  if (dtype === 'u8' && step !== 0) {
    throw new ShapeError('arange: expected f32, f16, i32 or u32, got u8');
  }
  const words = Math.ceil((sizeOf(array.shape) * bytesPerElement[dtype]) / 4);
  // A u8 fill writes words of four equal bytes.
  const isByte = dtype === 'u8';
  const byte = (start & 0xff) * 0x01010101;
  runtime.dispatch({
    shader: 'arange',
    op: 'arange',
    tune: { Elem: isByte ? 'u32' : dtype },
    bindings: { values: array },
    params: isByte
      ? { size: words, start_word: byte >>> 0, start: 0, step: 0 }
      : { size: sizeOf(array.shape), start_word: 0, start, step },
    groups: Math.ceil((isByte ? words : sizeOf(array.shape)) / WORKGROUP),
    bytes: words * 4,
  });
}
