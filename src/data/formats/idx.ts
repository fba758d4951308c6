/**
 * The idx format of MNIST: two zero bytes, a type byte (8: unsigned bytes), the number of dimensions,
 * each dimension as a big-endian u32, then the values. Plain or gzip-compressed.
 *
 * Source: LeCun, Cortes, Burges, "The MNIST database", section "FILE FORMATS FOR THE MNIST DATABASE".
 */
import { DataError } from '../../errors.js';
import { readMaybeGzip } from './gzip.js';

/** An idx file in memory. */
export interface IdxArray {
  shape: number[];
  /** Values in row-major order. */
  values: Uint8Array;
  /** Where it was read from, for messages. */
  file: string;
}

/** Reads the idx file of unsigned bytes with the given number of dimensions. */
export async function readIdx(file: string, dimensions: number): Promise<IdxArray> {
  const headerBytes = 4 + 4 * dimensions;
  const { bytes, isTruncated, isCut } = await readMaybeGzip(file, (head) =>
    isIdx(head, dimensions) ? headerBytes + valueCount(shapeOf(head, dimensions)) : headerBytes,
  );
  return parseIdx(bytes, file, dimensions, { isTruncated, isCut });
}

function isIdx(bytes: Uint8Array, dimensions: number): boolean {
  const expected = [0, 0, 8, dimensions];
  return (
    bytes.length >= 4 + 4 * dimensions && expected.every((byte, index) => bytes[index] === byte)
  );
}

function shapeOf(bytes: Uint8Array, dimensions: number): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: dimensions }, (_, axis) => view.getUint32(4 + 4 * axis));
}

function valueCount(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

/**
 * Takes an idx file apart.
 *
 * @param unpacked how the archive that the bytes come from ended
 * @throws DataError if the magic number is another (foreign file), when the header is cut short, or
 * when there are fewer or more values than the header says
 */
export function parseIdx(
  bytes: Uint8Array,
  file: string,
  dimensions: number,
  { isTruncated = false, isCut = false } = {},
): IdxArray {
  const headerBytes = 4 + 4 * dimensions;
  const magic = [...bytes.subarray(0, 4)];
  const expected = [0, 0, 8, dimensions];
  if (magic.length === 4 && magic.some((byte, index) => byte !== expected[index])) {
    throw new DataError(
      `${file}: not an idx file of ${dimensions}-dimensional unsigned bytes: it begins with` +
        ` ${hex(magic)}, expected ${hex(expected)}`,
      dimensions === 3 ? imagesFix(magic) : labelsFix(magic),
    );
  }
  if (bytes.length < headerBytes) {
    throw new DataError(
      `${file}: truncated: the idx header has ${headerBytes} bytes, the file ${bytes.length}`,
      'download the file again',
    );
  }
  const shape = shapeOf(bytes, dimensions);
  const expectedBytes = valueCount(shape);
  const actualBytes = bytes.length - headerBytes;
  if (actualBytes !== expectedBytes || isTruncated || isCut) {
    const state = isCut || actualBytes > expectedBytes ? 'too long' : 'truncated';
    throw new DataError(
      `${file}: ${state}: expected ${expectedBytes} bytes of values (${shape.join(' × ')}), got` +
        ` ${isCut ? 'more' : actualBytes}${isTruncated ? '; the gzip archive ends early' : ''}`,
      'download the file again',
    );
  }
  return { shape, values: bytes.subarray(headerBytes), file };
}

function hex(bytes: number[]): string {
  return bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
}

function imagesFix(magic: number[]): string {
  return magic[3] === 1 && magic[2] === 8
    ? 'this is a file of labels; put the images file (…-images-idx3-ubyte) here'
    : 'put the file as published (…-images-idx3-ubyte, or .gz) here';
}

function labelsFix(magic: number[]): string {
  return magic[3] === 3 && magic[2] === 8
    ? 'this is a file of images; put the labels file (…-labels-idx1-ubyte) here'
    : 'put the file as published (…-labels-idx1-ubyte, or .gz) here';
}
