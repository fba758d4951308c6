import type { DType } from './array.js';
import { ShapeError } from './errors.js';

/* Values as the host writes and reads them: nested numbers and typed arrays. */

export type TypedArray = Float32Array | Int32Array | Uint32Array | Uint8Array;
export type NestedNumbers = number | readonly NestedNumbers[];

/** Flat values and the shape of nested numbers; rows of different lengths are an error. */
export function flatten(values: TypedArray | NestedNumbers): {
  data: ArrayLike<number>;
  shape: number[];
} {
  if (ArrayBuffer.isView(values)) return { data: values, shape: [values.length] };
  if (typeof values === 'number') return { data: [values], shape: [] };
  const shape: number[] = [];
  for (let level: NestedNumbers = values; Array.isArray(level); level = level[0] as NestedNumbers) {
    shape.push(level.length);
    if (level.length === 0) break;
  }
  const data: number[] = [];
  const walk = (level: NestedNumbers, depth: number): void => {
    if (typeof level === 'number') {
      if (depth !== shape.length) throw ragged(shape, depth);
      data.push(level);
      return;
    }
    if (!Array.isArray(level)) {
      throw new ShapeError(
        `tensor: expected numbers, nested or as a typed array, got ${String(level)}`,
      );
    }
    if (level.length !== shape[depth]) throw ragged(shape, depth);
    for (const item of level as readonly NestedNumbers[]) walk(item, depth + 1);
  };
  walk(values, 0);
  return { data, shape };
}

function ragged(shape: readonly number[], depth: number): ShapeError {
  return new ShapeError(
    `tensor: nested values are ragged at depth ${depth}; the first row of each level gives [${shape.join(', ')}]`,
  );
}

/** The element type that host values ask for. */
export function dtypeOf(values: TypedArray | NestedNumbers): DType {
  if (values instanceof Int32Array) return 'i32';
  if (values instanceof Uint32Array) return 'u32';
  if (values instanceof Uint8Array) return 'u8';
  return 'f32';
}

/** Host values in the layout of an element type. */
export function encode(data: ArrayLike<number>, dtype: DType): ArrayBufferView {
  switch (dtype) {
    case 'f32':
      return data instanceof Float32Array ? data : Float32Array.from(data);
    case 'i32':
      return data instanceof Int32Array ? data : Int32Array.from(data);
    case 'u32':
      return data instanceof Uint32Array ? data : Uint32Array.from(data);
    case 'u8':
      return data instanceof Uint8Array ? data : Uint8Array.from(data);
    case 'f16':
      throw new ShapeError('tensor: f16 is made on the GPU', 'upload f32, then cast to f16');
  }
}

/** Bytes read back, as the typed array of their element type. */
export function viewOf(bytes: ArrayBuffer, dtype: DType): TypedArray {
  if (dtype === 'i32') return new Int32Array(bytes);
  if (dtype === 'u32') return new Uint32Array(bytes);
  if (dtype === 'u8') return new Uint8Array(bytes);
  return new Float32Array(bytes);
}

/** Flat values as nested arrays of a shape. */
export function nest(data: TypedArray, shape: readonly number[]): NestedNumbers {
  let level: NestedNumbers[] = Array.from(data);
  for (let axis = shape.length - 1; axis > 0; axis--) {
    const n = shape[axis];
    const next: NestedNumbers[] = [];
    for (let i = 0; i < level.length; i += n) next.push(level.slice(i, i + n));
    level = next;
  }
  return shape.length === 0 ? level[0] : level;
}
