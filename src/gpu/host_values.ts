import { ShapeError } from '../errors.js';
import type { DType } from './array.js';

/* Host values: nested numbers and typed arrays. */

/** The type of a tensor's values on the host. */
export type TypedArray = Float32Array | Int32Array | Uint32Array | Uint8Array;
export type NestedNumbers = number | readonly NestedNumbers[];
/** What a tensor can be made from. Values of int64, NumPy's default, become i32 if they fit. */
export type HostValues = TypedArray | BigInt64Array | BigUint64Array | NestedNumbers;

/** Flat values and the shape of nested numbers; rows of different lengths are an error. */
export function flattenNested(values: HostValues): { data: ArrayLike<number>; shape: number[] } {
  if (isInt64(values)) return { data: Float64Array.from(values, Number), shape: [values.length] };
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

function isInt64(values: HostValues): values is BigInt64Array | BigUint64Array {
  return values instanceof BigInt64Array || values instanceof BigUint64Array;
}

/** The element type for host values. */
export function dtypeOf(values: HostValues): DType {
  if (values instanceof Int32Array || isInt64(values)) return 'i32';
  if (values instanceof Uint32Array) return 'u32';
  if (values instanceof Uint8Array) return 'u8';
  return 'f32';
}

/** Typed array and largest values of the integer types. */
const integers = {
  i32: { Array: Int32Array, lowest: -(2 ** 31), highest: 2 ** 31 - 1 },
  u32: { Array: Uint32Array, lowest: 0, highest: 2 ** 32 - 1 },
  u8: { Array: Uint8Array, lowest: 0, highest: 255 },
} as const;

/**
 * Host values in the layout of an element type. Floats are rounded.
 *
 * Errors: ShapeError for a value that an integer type cannot hold: a fraction, one out of range, NaN.
 */
export function encode(data: ArrayLike<number>, dtype: DType): ArrayBufferView {
  if (dtype === 'f32') return data instanceof Float32Array ? data : Float32Array.from(data);
  if (dtype === 'f16') {
    throw new ShapeError('tensor: f16 is made on the GPU', 'upload f32, then cast to f16');
  }
  const { Array: IntegerArray } = integers[dtype];
  if (data instanceof IntegerArray) return data;
  for (let i = 0; i < data.length; i++) expectHoldable('tensor', data[i], dtype, i);
  return IntegerArray.from(data);
}

/** Throws for a number that an integer type cannot hold; `index` is its position. */
export function expectHoldable(where: string, value: number, dtype: DType, index?: number): void {
  if (!(dtype in integers)) return;
  const { lowest, highest } = integers[dtype as keyof typeof integers];
  if (Number.isInteger(value) && value >= lowest && value <= highest) return;
  const place = index === undefined ? '' : ` at index ${index}`;
  throw new ShapeError(
    `${where}: ${dtype} holds whole numbers from ${lowest} to ${highest}, got ${value}${place}`,
    'round or clip the values first, or make a tensor of another type',
  );
}

/** Bytes that were read back, as the typed array of their element type. */
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
