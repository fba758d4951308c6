/**
 * Opens image files as a data set: from a pack of an earlier run, or by decoding every file once, now,
 * into a pack for this run and the next. Files that cannot be decoded are left out, with the reason.
 */
import { availableParallelism } from 'node:os';
import { DataError } from '../../errors.js';
import { ONE_SIZE_FIX, type ImageDataset } from '../dataset.js';
import { fileOf, probeImage, type DecodeFailure, type ImageSource } from '../decode/decode.js';
import { DecodePool, type DecodePoolOptions } from '../decode/decode_pool.js';
import { FolderDataset } from '../decode/folder_dataset.js';
import { PackedDataset, type ImageList } from '../decode/packed_dataset.js';
import { PackFile, PackWriter, type LeftOut } from '../decode/pack.js';
import { packFolder, packKey, packPath, prunePacks, touchPack } from '../decode/pack_store.js';
import type { ImageForm } from '../decode/resize.js';

/** An image file that was left out. */
export interface SkippedImage {
  file: string;
  reason: string;
}

export interface OpenImagesOptions extends ImageForm {
  /** Most of the decoded images held in memory, in bytes. Default 1 GiB. */
  cacheBytes?: number;
  /** Of the threads that decode. */
  decoding?: DecodePoolOptions;
  /** Chooses height and width from those of a sample of the images, where none are asked for. */
  pickSize?: (sizes: readonly (readonly [number, number])[]) => readonly [number, number];
  /** Called as images are decoded, never when a pack of them is there. */
  onProgress?: (done: number, total: number) => void;
}

export interface OpenedImages {
  dataset: ImageDataset;
  skipped: SkippedImage[];
  /** Why nothing is kept for the next run. */
  notes: string[];
}

const MEMORY_BYTES = 2 ** 30;
/** Decoded at a time, in bytes and files: enough for all threads, and little beside the rest. */
const CHUNK_BYTES = 2 ** 26;
const CHUNK_FILES = 1024;
/** Threads take longer to start than so few files to decode. */
const FEW_FILES = 64;

/**
 * Opens the images of a listing.
 *
 * @param folder what the paths in the pack's key are relative to
 * @throws DataError if no image can be decoded, and when no size is asked for and the images have
 * different ones
 */
export async function openImages(
  folder: string,
  list: ImageList,
  options: OpenImagesOptions = {},
): Promise<OpenedImages> {
  const place = await packFolder();
  const { imageSize = null, channels = 3, enlarge = 'cpu' } = options;
  const form = { imageSize, channels, enlarge, resize: 'fill' };
  const key = place === null ? '' : await packKey(folder, list.files, form);
  const path = place === null ? null : packPath(place, key);
  const memoryBytes = options.cacheBytes ?? MEMORY_BYTES;
  const pack = path === null ? undefined : await PackFile.open(path, key);
  if (pack) {
    await pack.close();
    const good = without(list, pack.contents.leftOut);
    // A pack of another number of images would be one whose key collides: not of this listing.
    if (good.files.length === pack.count) {
      await touchPack(pack.path);
      const skipped = named(list, pack.contents.leftOut);
      return { dataset: new PackedDataset(pack, good, memoryBytes), skipped, notes: [] };
    }
  }
  const notes: string[] = [];
  const shape = [...(await chooseSize(list.files, options)), channels] as [number, number, number];
  const pass = new DecodePass(list.files, shape, memoryBytes);
  if (path !== null) await pass.beginPack(path);
  const leftOut = await pass.run(options);
  const skipped = named(list, leftOut);
  const kept = await pass.finish({ key, imageShape: shape, leftOut });
  if (pass.problem !== undefined) {
    notes.push(`${list.name}: the decoded images are not kept for the next run: ${pass.problem}`);
  }
  const good = without(list, leftOut);
  if (good.files.length === 0) {
    throw new DataError(
      `${list.name}: none of ${list.files.length} images can be decoded (${skipped[0].file}:` +
        ` ${skipped[0].reason})`,
    );
  }
  if (kept) {
    await prunePacks(place!, kept.path);
    const dataset = new PackedDataset(kept, good, memoryBytes, pass.pixels);
    return { dataset, skipped, notes };
  }
  const dataset = new FolderDataset(list.name, good, shape, options);
  if (pass.pixels) dataset.adopt(pass.pixels);
  else notes.push(`${list.name}: too large for memory: images are decoded anew in each epoch`);
  return { dataset, skipped, notes };
}

function named(list: ImageList, leftOut: readonly LeftOut[]): SkippedImage[] {
  return leftOut.map(({ index, reason }) => ({ file: fileOf(list.files[index]), reason }));
}

/** The listing without those left out. */
function without(list: ImageList, leftOut: readonly LeftOut[]): ImageList {
  if (leftOut.length === 0) return list;
  const gone = new Set(leftOut.map(({ index }) => index));
  const isKept = (_: unknown, index: number): boolean => !gone.has(index);
  return {
    ...list,
    files: list.files.filter(isKept),
    labels: list.labels.filter(isKept),
    groups: list.groups?.filter(isKept),
  };
}

/** Height and width of the decoded images: those asked for, or the files' own. */
export async function chooseSize(
  files: readonly ImageSource[],
  { imageSize, enlarge }: ImageForm,
): Promise<[number, number]> {
  if (imageSize === undefined) {
    const { size, other } = await commonSize(files);
    if (other === undefined) return size;
    throw new DataError(
      `data: images of different sizes: ${other.first} is ${size.join('×')},` +
        ` ${other.file} is ${other.size.join('×')} (height × width)`,
      ONE_SIZE_FIX,
    );
  }
  const [height, width] = imageSize;
  if (enlarge !== 'later') return [height, width];
  const isSmaller = (size: readonly [number, number]): boolean =>
    size[0] <= height && size[1] <= width;
  const { size, other } = await commonSize(files, isSmaller);
  return other === undefined && isSmaller(size) ? size : [height, width];
}

/** Files whose headers stand for all of them. */
const SAMPLED = 64;

/**
 * Height and width of some of the files, evenly spread over them, from their headers.
 *
 * @throws DataError where none of them can be read
 */
export async function sampleSizes(files: readonly ImageSource[]): Promise<[number, number][]> {
  const count = Math.min(SAMPLED, files.length);
  const some = Array.from(
    { length: count },
    (_, i) => files[Math.floor((i * files.length) / count)],
  );
  const probes = await Promise.allSettled(some.map((source) => probeImage(source)));
  const sizes = probes.flatMap((probe) => (probe.status === 'fulfilled' ? [probe.value] : []));
  // Only where a whole sample is broken are all the others looked at.
  return sizes.length > 0 ? sizes : [(await commonSize(files)).size];
}

interface CommonSize {
  size: [number, number];
  /** Two files of different sizes, where there are such. */
  other?: { first: string; file: string; size: [number, number] };
}

/**
 * The size of all files that have one, from their headers. A first file whose size is of no use ends
 * the search.
 */
async function commonSize(
  files: readonly ImageSource[],
  isUseful: (size: readonly [number, number]) => boolean = () => true,
): Promise<CommonSize> {
  const atOnce = 32;
  let first: { file: string; size: [number, number] } | undefined;
  let failure: unknown;
  for (let begin = 0; begin < files.length; begin += atOnce) {
    const part = files.slice(begin, begin + atOnce);
    const probes = part.map((source) =>
      probeImage(source).catch((error: unknown) => {
        failure ??= error;
        return undefined;
      }),
    );
    for (const [index, size] of (await Promise.all(probes)).entries()) {
      // A file without a size is named when it is decoded.
      if (size === undefined) continue;
      const file = fileOf(part[index]);
      first ??= { file, size };
      if (!isUseful(first.size)) return { size: first.size };
      if (size[0] !== first.size[0] || size[1] !== first.size[1]) {
        return { size: first.size, other: { first: first.file, file, size } };
      }
    }
  }
  if (first === undefined) throw failure;
  return { size: first.size };
}

/** One pass over all files, into memory where they fit, and into a pack where one can be written. */
class DecodePass {
  /** The decoded images one after the other, without those left out; undefined if they do not fit. */
  pixels?: Uint8Array;
  /** Why there is no pack. */
  problem?: string;
  private readonly imageBytes: number;
  private writer?: PackWriter;
  private path = '';
  private filledBytes = 0;
  /** Failures that another try may not have; a pack must not make them last. */
  private hasUnreadable = false;

  constructor(
    private readonly files: readonly ImageSource[],
    private readonly imageShape: readonly [number, number, number],
    memoryBytes: number,
  ) {
    this.imageBytes = imageShape.reduce((a, b) => a * b, 1);
    const totalBytes = files.length * this.imageBytes;
    if (totalBytes <= memoryBytes) this.pixels = new Uint8Array(totalBytes);
  }

  async beginPack(path: string): Promise<void> {
    this.path = path;
    await this.tryPack(async () => {
      this.writer = await PackWriter.begin(path, this.files.length * this.imageBytes);
    });
  }

  /** Decodes all files; returns those that cannot be decoded. */
  async run({ decoding, onProgress }: OpenImagesOptions): Promise<LeftOut[]> {
    // Nothing else runs meanwhile: every processor decodes.
    const threadCount = this.files.length < FEW_FILES ? 0 : Math.min(16, availableParallelism());
    const pool = new DecodePool({ threadCount, ...decoding });
    const chunk = Math.max(16, Math.min(CHUNK_FILES, Math.floor(CHUNK_BYTES / this.imageBytes)));
    const leftOut: LeftOut[] = [];
    const start = (begin: number) => {
      const work = pool.decodeEach(this.files.slice(begin, begin + chunk), this.imageShape);
      // Reported when its turn comes, not as unhandled.
      work.catch(() => {});
      return work;
    };
    try {
      let ahead = start(0);
      for (let begin = 0; begin < this.files.length; begin += chunk) {
        const { pixels, failures } = await ahead;
        ahead = start(begin + chunk);
        const count = Math.min(chunk, this.files.length - begin);
        for (const failure of failures) leftOut.push(this.leaveOut(failure, begin));
        await this.append(withoutFailures(pixels, failures, this.imageBytes));
        onProgress?.(begin + count, this.files.length);
      }
      await ahead;
    } catch (error) {
      await this.writer?.abort();
      throw error;
    } finally {
      await pool.close();
    }
    this.pixels = this.pixels?.subarray(0, this.filledBytes);
    return leftOut;
  }

  /** Completes the pack; undefined if there is none. */
  async finish(contents: PackFile['contents']): Promise<PackFile | undefined> {
    if (this.writer === undefined) return undefined;
    if (this.hasUnreadable || this.filledBytes === 0) {
      await this.writer.abort();
      this.writer = undefined;
      if (this.filledBytes > 0) this.problem = 'some files could not be read';
      return undefined;
    }
    return this.tryPack(async () => {
      await this.writer!.finish(contents);
      const pack = await PackFile.open(this.path, contents.key);
      await pack?.close();
      return pack;
    });
  }

  private async append(pixels: Uint8Array): Promise<void> {
    this.pixels?.set(pixels, this.filledBytes);
    this.filledBytes += pixels.length;
    if (this.writer) await this.tryPack(() => this.writer!.append(pixels));
  }

  private leaveOut({ index, message }: DecodeFailure, begin: number): LeftOut {
    const file = fileOf(this.files[begin + index]);
    const reason = message.replace(`${file}: `, '').replace('broken image: ', '');
    // That a file is not there is part of the pack's key.
    this.hasUnreadable ||= /^cannot be read: (?!ENOENT)/.test(reason);
    return { index: begin + index, reason };
  }

  /** Whatever goes wrong with the pack is told, and ends the pack, not the pass. */
  private async tryPack<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      this.problem = `${this.path}: ${(error as Error).message}`;
      await this.writer?.abort();
      this.writer = undefined;
      return undefined;
    }
  }
}

/** The images without those that failed, closed up. */
function withoutFailures(
  pixels: Uint8Array,
  failures: readonly DecodeFailure[],
  imageBytes: number,
): Uint8Array {
  if (failures.length === 0) return pixels;
  const gone = new Set(failures.map(({ index }) => index));
  const count = pixels.length / imageBytes;
  let kept = 0;
  for (let index = 0; index < count; index++) {
    if (gone.has(index)) continue;
    pixels.copyWithin(kept * imageBytes, index * imageBytes, (index + 1) * imageBytes);
    kept++;
  }
  return pixels.subarray(0, kept * imageBytes);
}
