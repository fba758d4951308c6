/**
 * A pack: the decoded images of a data set in one file, so that the next run need not decode them.
 *
 *     0   magic (8 bytes), version (u32), length and CRC-32 of the trailer (u32 each), zero (u32),
 *         images (u64), bytes of an image (u64)
 *     40  CRC-32 of the bytes before it (u32), zeros
 *     64  the images, [images, H, W, C], unsigned bytes
 *     …   the trailer: JSON with the key, the shape, and what was left out
 *
 * All numbers are little-endian. The head is written last, so a file that was left unfinished has none.
 */
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { mkdir, open, rename, rm, statfs, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { DataError } from '../../errors.js';
import { crc32 } from '../../io/zip.js';

const MAGIC = Buffer.from('tgpack\r\n');
/** Of this form; another one is another file. */
export const PACK_VERSION = 1;
const HEAD_BYTES = 64;
const SUMMED_BYTES = 40;
const LARGEST_TRAILER = 2 ** 28;
/** Left free on the disk beside a new pack. */
const RESERVE_BYTES = 2 ** 28;

/** An image that was left out: its place among the files, and why. */
export interface LeftOut {
  index: number;
  reason: string;
}

/** What a pack says of itself. */
export interface PackContents {
  /** Which files it was made of, and how. */
  key: string;
  imageShape: [number, number, number];
  leftOut: LeftOut[];
}

/** A pack that is open for reading. */
export class PackFile {
  private constructor(
    readonly path: string,
    private readonly file: FileHandle,
    readonly count: number,
    readonly contents: PackContents,
  ) {}

  /** Opens a pack; undefined if there is none, or one that is damaged, foreign or of another key. */
  static async open(path: string, key: string): Promise<PackFile | undefined> {
    const file = await open(path, 'r').catch(() => undefined);
    if (file === undefined) return undefined;
    const pack = await readContents(file, key).catch(() => undefined);
    if (pack === undefined) {
      await file.close();
      return undefined;
    }
    return new PackFile(path, file, pack.count, pack.contents);
  }

  get imageBytes(): number {
    return this.contents.imageShape.reduce((a, b) => a * b, 1);
  }

  /** Reads `count` images from the given one on into `target`. */
  async read(first: number, count: number, target: Uint8Array): Promise<void> {
    const bytes = this.imageBytes;
    await readFully(this.file, target.subarray(0, count * bytes), HEAD_BYTES + first * bytes);
  }

  close(): Promise<void> {
    return this.file.close();
  }
}

async function readFully(file: FileHandle, target: Uint8Array, position: number): Promise<void> {
  for (let at = 0; at < target.length;) {
    const length = Math.min(target.length - at, 2 ** 30);
    const { bytesRead } = await file.read(target, at, length, position + at);
    if (bytesRead === 0) throw new DataError('data: a pack of decoded images ends early');
    at += bytesRead;
  }
}

async function readContents(
  file: FileHandle,
  key: string,
): Promise<{ count: number; contents: PackContents } | undefined> {
  const head = Buffer.alloc(HEAD_BYTES);
  await readFully(file, head, 0);
  const isOurs =
    head.subarray(0, MAGIC.length).equals(MAGIC) &&
    head.readUInt32LE(8) === PACK_VERSION &&
    head.readUInt32LE(SUMMED_BYTES) === crc32(head.subarray(0, SUMMED_BYTES));
  const trailerBytes = head.readUInt32LE(12);
  if (!isOurs || trailerBytes > LARGEST_TRAILER) return undefined;
  const count = Number(head.readBigUInt64LE(24));
  const imageBytes = Number(head.readBigUInt64LE(32));
  const end = HEAD_BYTES + count * imageBytes;
  if ((await file.stat()).size !== end + trailerBytes) return undefined;
  const trailer = Buffer.alloc(trailerBytes);
  await readFully(file, trailer, end);
  if (crc32(trailer) !== head.readUInt32LE(16)) return undefined;
  const contents = JSON.parse(trailer.toString('utf8')) as PackContents;
  const isWanted =
    contents.key === key && contents.imageShape.reduce((a, b) => a * b, 1) === imageBytes;
  return isWanted ? { count, contents } : undefined;
}

/** Writes a pack beside its place; it is there under its name only when it is whole. */
export class PackWriter {
  private at = HEAD_BYTES;

  private constructor(
    private readonly path: string,
    private readonly temporary: string,
    private readonly file: FileHandle,
  ) {}

  /**
   * Begins a pack of at most `mostBytes` of images.
   *
   * @throws an error in Node's words where the folder cannot be written, a DataError if the disk has
   * too little room
   */
  static async begin(path: string, mostBytes: number): Promise<PackWriter> {
    const folder = dirname(path);
    await mkdir(folder, { recursive: true });
    const { bavail, bsize } = await statfs(folder);
    const free = bavail * bsize;
    if (free < mostBytes + RESERVE_BYTES) {
      throw new DataError(
        `${megabytes(free)} free, ${megabytes(mostBytes + RESERVE_BYTES)} needed`,
      );
    }
    const name = `.${basename(path)}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`;
    const temporary = join(folder, name);
    const flags = constants.O_CREAT | constants.O_EXCL | constants.O_RDWR;
    return new PackWriter(path, temporary, await open(temporary, flags, 0o644));
  }

  async append(pixels: Uint8Array): Promise<void> {
    await this.write(pixels, this.at);
    this.at += pixels.length;
  }

  /** Completes the pack and puts it in its place. */
  async finish(contents: PackContents): Promise<void> {
    const trailer = Buffer.from(JSON.stringify(contents));
    await this.write(trailer, this.at);
    const imageBytes = contents.imageShape.reduce((a, b) => a * b, 1);
    const head = Buffer.alloc(HEAD_BYTES);
    MAGIC.copy(head);
    head.writeUInt32LE(PACK_VERSION, 8);
    head.writeUInt32LE(trailer.length, 12);
    head.writeUInt32LE(crc32(trailer), 16);
    head.writeBigUInt64LE(BigInt((this.at - HEAD_BYTES) / imageBytes), 24);
    head.writeBigUInt64LE(BigInt(imageBytes), 32);
    head.writeUInt32LE(crc32(head.subarray(0, SUMMED_BYTES)), SUMMED_BYTES);
    await this.write(head, 0);
    await this.file.sync();
    await this.file.close();
    await rename(this.temporary, this.path);
  }

  /** Removes what was written. Never throws: it runs after something else went wrong. */
  async abort(): Promise<void> {
    await this.file.close().catch(() => {});
    await rm(this.temporary, { force: true }).catch(() => {});
  }

  private async write(bytes: Uint8Array, position: number): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      const length = Math.min(bytes.length - at, 2 ** 30);
      at += (await this.file.write(bytes, at, length, position + at)).bytesWritten;
    }
  }
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}
