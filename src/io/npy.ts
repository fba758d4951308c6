/**
 * NumPy's .npy: a magic, a version, a header that is a Python dictionary in text, and the elements.
 *
 * Source: NumPy, "NEP 1: a simple file format for NumPy arrays", and the notes on versions 1.0 to 3.0
 * in numpy.lib.format.
 */
import { DataError } from '../errors.js';
import { readBytes } from './read_bytes.js';
import { readZip, writeZip } from './zip.js';

/** Element types that are read and written, by their NumPy names. */
const NPY_TYPES = {
  uint8: Uint8Array,
  int8: Int8Array,
  uint16: Uint16Array,
  int16: Int16Array,
  uint32: Uint32Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  float32: Float32Array,
  float64: Float64Array,
} as const;
export type NpyType = keyof typeof NPY_TYPES;
export type NpyValues = InstanceType<(typeof NPY_TYPES)[NpyType]>;

/** An array in C order: the last index runs fastest. */
export interface NpyArray {
  dtype: NpyType;
  shape: number[];
  values: NpyValues;
  /** NumPy's bool: `values` are 0 and 1. */
  isBoolean?: true;
}

const MAGIC = Uint8Array.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]);
const KIND = { u: 'uint', i: 'int', f: 'float' } as const;

/** Reads a .npy file. Errors: see `parseNpy`; DataError too for a file that cannot be read. */
export function readNpy(file: string): NpyArray {
  return parseNpy(readBytes(file), file);
}

/**
 * The arrays of an .npz file, by their names without `.npy`; each is unpacked and read when it is
 * asked for. Errors: as `readNpy`.
 */
export function readNpz(file: string): Map<string, () => NpyArray> {
  const arrays = new Map<string, () => NpyArray>();
  for (const [name, unpack] of npzMembers(file)) {
    arrays.set(name, () => parseNpy(unpack(), `${file}:${name}.npy`));
  }
  return arrays;
}

/** The .npy files in an .npz file, by their names without `.npy`; each is unpacked when it is asked for. */
export function npzMembers(file: string): Map<string, () => Uint8Array> {
  const members = new Map<string, () => Uint8Array>();
  for (const [name, unpack] of readZip(readBytes(file), file)) {
    if (name.endsWith('.npy')) members.set(name.slice(0, -4), unpack);
  }
  return members;
}

/**
 * Takes the bytes of a .npy file apart. Arrays in Fortran order come out in C order; booleans and
 * bytes of either sign, integers and floats of either byte order are read.
 *
 * @param file for messages
 * @throws DataError for a file that is no .npy, of another element type, truncated or too long
 */
export function parseNpy(bytes: Uint8Array, file: string): NpyArray {
  const { descr, isFortran, shape, count, elements } = parseHeader(bytes, file);
  const dtype = typeOf(descr, file);
  const { BYTES_PER_ELEMENT } = NPY_TYPES[dtype];
  checkLength(elements, count * BYTES_PER_ELEMENT, `${dtype} [${shape.join(', ')}]`, file);
  // A copy of its own, whose begin is aligned to the elements.
  const copy = new Uint8Array(elements);
  if (descr.startsWith('>')) swapBytes(copy, BYTES_PER_ELEMENT);
  const values = new NPY_TYPES[dtype](copy.buffer);
  const inOrder = isFortran && shape.length > 1 ? fromFortranOrder(values, shape) : values;
  return { dtype, shape, values: inOrder, ...(descr === '|b1' ? { isBoolean: true } : {}) };
}

/**
 * The strings of a .npy file of one dimension, text ('U') or bytes in UTF-8 ('S'); undefined if its
 * elements are no strings.
 *
 * @throws DataError for a file that is no .npy, truncated or too long
 */
export function parseNpyStrings(bytes: Uint8Array, file: string): string[] | undefined {
  const { descr, shape, count, elements } = parseHeader(bytes, file);
  const [, order, kind, length] = /^([<>|=])([US])(\d+)$/.exec(descr) ?? [];
  if (kind === undefined || shape.length !== 1) return undefined;
  const width = Number(length) * (kind === 'U' ? 4 : 1);
  checkLength(elements, count * width, `'${descr}' [${count}]`, file);
  const view = new DataView(elements.buffer, elements.byteOffset, elements.byteLength);
  const text = (index: number): string => {
    if (kind === 'S') return new TextDecoder().decode(elements.subarray(index, index + width));
    const points: number[] = [];
    for (let at = index; at < index + width; at += 4)
      points.push(view.getUint32(at, order !== '>'));
    // What is no code point becomes the replacement character.
    return String.fromCodePoint(...points.map((point) => (point > 0x10ffff ? 0xfffd : point)));
  };
  return Array.from({ length: count }, (_, index) => text(index * width).replace(/\0+$/, ''));
}

interface NpyHeader {
  descr: string;
  isFortran: boolean;
  shape: number[];
  /** The product of the shape. */
  count: number;
  /** What follows the header. */
  elements: Uint8Array;
}

function parseHeader(bytes: Uint8Array, file: string): NpyHeader {
  const { text, end } = headerText(bytes, file);
  const descr = /'descr'\s*:\s*'([^']*)'/.exec(text)?.[1];
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(text)?.[1];
  const extents = /'shape'\s*:\s*\(([\d\s,]*)\)/.exec(text)?.[1];
  if (descr === undefined || order === undefined || extents === undefined) {
    throw new DataError(
      `${file}: expected an .npy header of descr, fortran_order and shape, got '${text.trim().slice(0, 80)}'`,
      'save plain arrays of numbers: np.save(file, array)',
    );
  }
  const shape = extents
    .split(',')
    .filter((extent) => extent.trim() !== '')
    .map(Number);
  const count = shape.reduce((product, extent) => product * extent, 1);
  // Extents as such: beside a zero their product says nothing of them.
  if (![...shape, count].every(Number.isSafeInteger)) {
    throw new DataError(
      `${file}: expected extents whose product is below 2^53, got (${extents.trim().slice(0, 80)})`,
      'save or copy the file again',
    );
  }
  return { descr, isFortran: order === 'True', shape, count, elements: bytes.subarray(end) };
}

function checkLength(elements: Uint8Array, expected: number, what: string, file: string): void {
  if (elements.length === expected) return;
  throw new DataError(
    `${file}: ${elements.length < expected ? 'truncated' : 'too long'}: expected ${expected} bytes` +
      ` for ${what}, got ${elements.length}`,
    'save or copy the file again',
  );
}

function headerText(bytes: Uint8Array, file: string): { text: string; end: number } {
  if (bytes.length < 12 || MAGIC.some((byte, index) => bytes[index] !== byte)) {
    throw new DataError(
      `${file}: not an .npy file (it does not begin with the letters of its kind)`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = bytes[6];
  if (version < 1 || version > 3) {
    throw new DataError(`${file}: expected .npy version 1 to 3, got ${version}`);
  }
  const start = version === 1 ? 10 : 12;
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  const end = start + length;
  if (end > bytes.length) {
    throw new DataError(`${file}: truncated: its header ends before ${end} bytes`);
  }
  return { text: new TextDecoder().decode(bytes.subarray(start, end)), end };
}

function typeOf(descr: string, file: string): NpyType {
  const match = /^[<>|=]([uif])(\d)$/.exec(descr);
  const name = match && `${KIND[match[1] as 'u' | 'i' | 'f']}${8 * Number(match[2])}`;
  // Booleans are bytes 0 and 1.
  const dtype = descr === '|b1' ? 'uint8' : name;
  if (dtype !== null && dtype in NPY_TYPES) return dtype as NpyType;
  throw new DataError(
    `${file}: elements of type '${descr}' are not read, expected ${Object.keys(NPY_TYPES).join(', ')}`,
    'convert the array, for example array.astype(np.float32)',
  );
}

function swapBytes(bytes: Uint8Array, width: number): void {
  for (let at = 0; at < bytes.length; at += width) bytes.subarray(at, at + width).reverse();
}

/** The elements of [d0, d1, …] whose first index ran fastest, with the last one running fastest. */
function fromFortranOrder(values: NpyValues, shape: readonly number[]): NpyValues {
  const result = values.slice();
  const index = new Array<number>(shape.length).fill(0);
  const strides = shape.map((_, axis) => shape.slice(0, axis).reduce((a, b) => a * b, 1));
  for (let at = 0; at < values.length; at++) {
    let from = 0;
    for (let axis = 0; axis < shape.length; axis++) from += index[axis] * strides[axis];
    result[at] = values[from];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      if (++index[axis] < shape[axis]) break;
      index[axis] = 0;
    }
  }
  return result;
}

/**
 * The bytes of a .npy file, version 1.0 (2.0 where the header is too long for it), in C order.
 *
 * @throws DataError if the values do not fill the shape
 */
export function formatNpy({ shape, values }: Omit<NpyArray, 'dtype'>): Uint8Array {
  const count = shape.reduce((product, extent) => product * extent, 1);
  if (count !== values.length) {
    throw new DataError(
      `npy: expected ${count} values for shape [${shape.join(', ')}], got ${values.length}`,
    );
  }
  const width = values.BYTES_PER_ELEMENT;
  const dtype = Object.entries(NPY_TYPES).find(([, type]) => values instanceof type)![0];
  const descr = `${width === 1 ? '|' : '<'}${dtype[0]}${width}`;
  const extents = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${extents}), }`;
  const isLong = text.length > 65_000;
  const start = isLong ? 12 : 10;
  // The elements begin at a multiple of 64 bytes, after a line feed.
  const length = Math.ceil((start + text.length + 1) / 64) * 64 - start;
  const bytes = new Uint8Array(start + length + values.byteLength);
  bytes.set(MAGIC);
  bytes[6] = isLong ? 2 : 1;
  const view = new DataView(bytes.buffer);
  if (isLong) view.setUint32(8, length, true);
  else view.setUint16(8, length, true);
  bytes.set(new TextEncoder().encode(`${text.padEnd(length - 1)}\n`), start);
  bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), start + length);
  return bytes;
}

/** The bytes of an .npz file: the arrays as .npy files in an archive, not compressed. */
export function formatNpz(arrays: ReadonlyMap<string, Omit<NpyArray, 'dtype'>>): Uint8Array {
  return writeZip(new Map([...arrays].map(([name, array]) => [`${name}.npy`, formatNpy(array)])));
}
