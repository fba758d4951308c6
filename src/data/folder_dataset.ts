/** A data set of image files, decoded in threads and kept in memory while there is room. */
import { DataError } from '../gpu/errors.js';
import { checkIndices, imageBytes, type ImageDataset } from './dataset.js';
import { probeImage } from './decode.js';
import { DecodePool, type DecodePoolOptions } from './decode_pool.js';
import type { FolderListing } from './folder.js';
import type { ImageForm } from './resize.js';

/** Height and width of all files, which must be the same. */
async function commonSize(files: readonly string[]): Promise<[number, number]> {
  const first = await probeImage(files[0]);
  const atOnce = 32;
  for (let begin = 1; begin < files.length; begin += atOnce) {
    const part = files.slice(begin, begin + atOnce);
    const sizes = await Promise.all(part.map(probeImage));
    const other = sizes.findIndex(([height, width]) => height !== first[0] || width !== first[1]);
    if (other === -1) continue;
    throw new DataError(
      `data: images of different sizes: ${files[0]} is ${first[0]}×${first[1]},` +
        ` ${part[other]} is ${sizes[other][0]}×${sizes[other][1]} (height × width)`,
      'ask for one size (imageSize), to which all are scaled',
    );
  }
  return first;
}

export interface FolderOptions extends ImageForm {
  /** Decoded images kept in memory, in bytes. Default 1 GiB. */
  cacheBytes?: number;
  /** Of the threads that decode. */
  decoding?: DecodePoolOptions;
  name?: string;
}

/** A data set of image files, decoded as they are read and then kept while there is room. */
export class FolderDataset implements ImageDataset {
  readonly size: number;
  readonly labels: Int32Array;
  readonly groups?: Int32Array;
  readonly classNames: readonly string[];
  /** Files that are no images, for the reader's information. */
  readonly skipped: readonly string[];
  private readonly files: readonly string[];
  private readonly pool: DecodePool;
  private readonly slots: number;
  /** The place of each image in the cache, or -1. */
  private readonly slotOf: Int32Array;
  private cache?: Uint8Array;
  private usedSlots = 0;

  private constructor(
    readonly name: string,
    listing: FolderListing,
    readonly imageShape: readonly [number, number, number],
    options: FolderOptions,
  ) {
    this.size = listing.files.length;
    this.labels = listing.labels;
    this.groups = listing.groups;
    this.classNames = listing.classNames;
    this.skipped = listing.skipped;
    this.files = listing.files;
    this.pool = new DecodePool(options.decoding);
    const budget = options.cacheBytes ?? 2 ** 30;
    this.slots = Math.min(this.size, Math.floor(budget / imageBytes(this)));
    this.slotOf = new Int32Array(this.size).fill(-1);
  }

  /**
   * Opens the images of a listing.
   *
   * @throws DataError when no size is asked for and the images have different ones
   */
  static async open(listing: FolderListing, options: FolderOptions = {}): Promise<FolderDataset> {
    const [height, width] = options.imageSize ?? (await commonSize(listing.files));
    const shape = [height, width, options.channels ?? 3] as const;
    return new FolderDataset(options.name ?? listing.folder, listing, shape, options);
  }

  /** Images kept in memory at this moment. */
  get cachedCount(): number {
    return this.usedSlots;
  }

  async read(indices: ArrayLike<number>): Promise<Uint8Array> {
    checkIndices(this, indices);
    const bytes = imageBytes(this);
    const pixels = new Uint8Array(indices.length * bytes);
    /** Where each image that is not in the cache goes in the answer. */
    const missing = new Map<number, number[]>();
    for (let i = 0; i < indices.length; i++) {
      const index = indices[i];
      const slot = this.slotOf[index];
      if (slot === -1) missing.set(index, [...(missing.get(index) ?? []), i]);
      else pixels.set(this.cache!.subarray(slot * bytes, (slot + 1) * bytes), i * bytes);
    }
    const files = Array.from(missing.keys(), (index) => this.files[index]);
    const decoded = await this.pool.decode(files, this.imageShape);
    let at = 0;
    for (const [index, places] of missing) {
      const image = decoded.subarray(at, (at += bytes));
      for (const place of places) pixels.set(image, place * bytes);
      this.keep(index, image);
    }
    return pixels;
  }

  describe(index: number): string {
    checkIndices(this, [index]);
    return this.files[index];
  }

  async close(): Promise<void> {
    await this.pool.close();
    this.cache = undefined;
    this.usedSlots = 0;
    this.slotOf.fill(-1);
  }

  private keep(index: number, image: Uint8Array): void {
    if (this.slotOf[index] !== -1 || this.usedSlots === this.slots) return;
    this.cache ??= new Uint8Array(this.slots * image.length);
    const slot = this.usedSlots++;
    this.cache.set(image, slot * image.length);
    this.slotOf[index] = slot;
  }
}
