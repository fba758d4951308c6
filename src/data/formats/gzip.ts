/** Files that may be packed with gzip, unpacked no further than their reader has use for. */
import { constants, createGunzip } from 'node:zlib';
import { DataError } from '../../errors.js';
import { readBytes } from '../../io/read_bytes.js';

export interface Unpacked {
  bytes: Uint8Array;
  /** The archive ends early: these are the bytes as far as it goes. */
  isTruncated: boolean;
  /** The archive holds more than the limit: these are only its first bytes. */
  isCut: boolean;
}

/** How many bytes to unpack at most, from the first ones and from the size of the archive. */
export type UnpackLimit = (head: Uint8Array, packedBytes: number) => number;

const HEAD_BYTES = 16;
/** No array of bytes here may be larger. */
const MOST_BYTES = 2 ** 31;
/** Images and their text shrink to a seventh or so, those of thin lines on white to a fifteenth. */
const MOST_RATIO = 25;
const ALWAYS_BYTES = 2 ** 26;

/** For contents that do not tell their size: 25 times the archive's size, but never less than 64 MiB. */
const ratioLimit: UnpackLimit = (_, packedBytes) =>
  Math.max(ALWAYS_BYTES, MOST_RATIO * packedBytes);

/**
 * Contents of a file, unpacked when it begins like a gzip archive, whatever its name is.
 *
 * @throws DataError for a file that cannot be read, and for a damaged archive
 */
export async function readMaybeGzip(file: string, limit: UnpackLimit): Promise<Unpacked> {
  const packed = readBytes(file);
  if (packed[0] !== 0x1f || packed[1] !== 0x8b) {
    return { bytes: packed, isTruncated: false, isCut: false };
  }
  try {
    return { ...(await unpack(packed, limit, constants.Z_FINISH)), isTruncated: false };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'Z_BUF_ERROR') {
      return { ...(await unpack(packed, limit, constants.Z_SYNC_FLUSH)), isTruncated: true };
    }
    throw new DataError(
      `${file}: damaged gzip archive: ${(error as Error).message}`,
      'download the file again',
    );
  }
}

/**
 * All of a file whose contents do not tell their size.
 *
 * @throws DataError as `readMaybeGzip`, and for an archive that ends early or holds more than `ratioLimit`
 */
export async function readWhole(file: string): Promise<Uint8Array> {
  const { bytes, isTruncated, isCut } = await readMaybeGzip(file, ratioLimit);
  if (isCut) {
    throw new DataError(
      `${file}: expected an archive that shrank its contents to a ${MOST_RATIO}th at most, got one of more than` +
        ` ${ALWAYS_BYTES / 2 ** 20} MiB that shrank further`,
      `unpack the file first: gunzip ${file}`,
    );
  }
  if (isTruncated) {
    throw new DataError(
      `${file}: truncated: the gzip archive ends early, after ${bytes.length} bytes`,
      'download the file again',
    );
  }
  return bytes;
}

async function unpack(
  packed: Uint8Array,
  limit: UnpackLimit,
  finishFlush: number,
): Promise<{ bytes: Uint8Array; isCut: boolean }> {
  const stream = createGunzip({ finishFlush, chunkSize: 2 ** 18 });
  stream.end(packed);
  const chunks: Uint8Array[] = [];
  let size = 0;
  let most: number | undefined;
  for await (const chunk of stream as AsyncIterable<Uint8Array>) {
    chunks.push(chunk);
    size += chunk.length;
    if (most === undefined && size >= HEAD_BYTES) {
      chunks.splice(0, chunks.length, Buffer.concat(chunks));
      most = Math.min(MOST_BYTES, limit(chunks[0].subarray(0, HEAD_BYTES), packed.length));
    }
    // Leaving the loop stops the stream.
    if (most !== undefined && size > most) break;
  }
  if (most !== undefined && size > most) return { bytes: chunks[0], isCut: true };
  return { bytes: chunks.length === 1 ? chunks[0] : Buffer.concat(chunks, size), isCut: false };
}
