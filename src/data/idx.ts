/**
 * The idx format of MNIST: two zero bytes, a type byte (8: unsigned bytes), the number of dimensions,
 * each dimension as a big-endian u32, then the values. Plain or gzip-compressed.
 *
 * Source: LeCun, Cortes, Burges, "The MNIST database", section "FILE FORMATS FOR THE MNIST DATABASE".
 */
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { constants, gunzip } from 'node:zlib';
import { DataError } from '../gpu/errors.js';

const unzip = promisify(gunzip);

/** An idx file in memory. */
export interface IdxArray {
  shape: number[];
  /** Values in row-major order. */
  values: Uint8Array;
  /** Where it was read from, for messages. */
  file: string;
}

/**
 * Contents of a file, unpacked when it begins like a gzip archive, whatever its name is.
 *
 * An archive that breaks off is unpacked as far as it goes with `isTruncated` set, so that the reader
 * of the format can say how much is missing.
 */
export async function readMaybeGzip(
  file: string,
): Promise<{ bytes: Uint8Array; isTruncated: boolean }> {
  let packed: Buffer;
  try {
    packed = await readFile(file);
  } catch (error) {
    throw new DataError(`${file}: cannot be read: ${(error as Error).message}`);
  }
  if (packed[0] !== 0x1f || packed[1] !== 0x8b) return { bytes: packed, isTruncated: false };
  try {
    return { bytes: await unzip(packed), isTruncated: false };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'Z_BUF_ERROR') {
      const bytes = await unzip(packed, { finishFlush: constants.Z_SYNC_FLUSH });
      return { bytes, isTruncated: true };
    }
    throw new DataError(
      `${file}: damaged gzip archive: ${(error as Error).message}`,
      'download the file again',
    );
  }
}

/** Reads the idx file of unsigned bytes with the given number of dimensions. */
export async function readIdx(file: string, dimensions: number): Promise<IdxArray> {
  const { bytes, isTruncated } = await readMaybeGzip(file);
  return parseIdx(bytes, file, dimensions, isTruncated);
}

/**
 * Takes an idx file apart.
 *
 * @throws DataError when the magic number is another (foreign file), when the header is cut short, or
 * when there are fewer or more values than the header says
 */
export function parseIdx(
  bytes: Uint8Array,
  file: string,
  dimensions: number,
  isTruncated = false,
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
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shape = Array.from({ length: dimensions }, (_, axis) => view.getUint32(4 + 4 * axis));
  const expectedBytes = shape.reduce((product, extent) => product * extent, 1);
  const actualBytes = bytes.length - headerBytes;
  if (actualBytes !== expectedBytes || isTruncated) {
    const state = actualBytes > expectedBytes ? 'too long' : 'truncated';
    throw new DataError(
      `${file}: ${state}: expected ${expectedBytes} bytes of values (${shape.join(' × ')}), got` +
        ` ${actualBytes}${isTruncated ? '; the gzip archive ends early' : ''}`,
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
