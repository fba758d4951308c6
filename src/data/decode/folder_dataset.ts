/** A data set of image files, decoded in threads and kept in memory while there is room. */
import { checkIndices, imageBytes, type ImageDataset } from '../dataset.js';
import { fileOf, type ImageSource } from './decode.js';
import { DecodePool, type DecodePoolOptions } from './decode_pool.js';
import type { ImageList } from './packed_dataset.js';

export interface FolderOptions {
  /** Decoded images kept in memory, in bytes. Default 1 GiB. */
  cacheBytes?: number;
  /** Of the threads that decode. */
  decoding?: DecodePoolOptions;
}

/** A data set of image files, decoded as they are read and then kept while there is room. */
export class FolderDataset implements ImageDataset {
  readonly size: number;
  readonly labels: Int32Array;
  readonly groups?: Int32Array;
  readonly classNames: readonly string[];
  private readonly files: readonly ImageSource[];
  private readonly pool: DecodePool;
  private readonly slots: number;
  /** The place of each image in the cache, or -1. */
  private readonly slotOf: Int32Array;
  private cache?: Uint8Array;
  private usedSlots = 0;

  /** @param imageShape what all images are scaled to */
  constructor(
    readonly name: string,
    list: Omit<ImageList, 'name'>,
    readonly imageShape: readonly [number, number, number],
    options: FolderOptions = {},
  ) {
    this.size = list.files.length;
    this.labels = list.labels;
    this.groups = list.groups;
    this.classNames = list.classNames;
    this.files = list.files;
    this.pool = new DecodePool(options.decoding);
    const budget = options.cacheBytes ?? 2 ** 30;
    this.slots = Math.min(this.size, Math.floor(budget / imageBytes(this)));
    this.slotOf = new Int32Array(this.size).fill(-1);
  }

  /** Takes over all images, decoded already and in order, until the data set is closed. */
  adopt(pixels: Uint8Array): void {
    this.cache = pixels;
    this.usedSlots = this.size;
    for (let index = 0; index < this.size; index++) this.slotOf[index] = index;
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
    return fileOf(this.files[index]);
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
