/** A data set whose decoded images lie in a pack. */
import { DataError } from '../../errors.js';
import { checkIndices, type ImageDataset } from '../dataset.js';
import { fileOf, type ImageSource } from './decode.js';
import { PackFile } from './pack.js';

/** What is known of the images of a data set without their pixels. */
export interface ImageList {
  name: string;
  classNames: readonly string[];
  files: readonly ImageSource[];
  labels: Int32Array;
  groups?: Int32Array;
}

/** Images read from the file at a time. */
const FILE_LANES = 8;

/**
 * Images of a pack: held in memory as a whole where they fit, else read from the file one by one.
 */
export class PackedDataset implements ImageDataset {
  readonly name: string;
  readonly size: number;
  readonly imageShape: readonly [number, number, number];
  readonly classNames: readonly string[];
  readonly labels: Int32Array;
  readonly groups?: Int32Array;
  private readonly files: readonly ImageSource[];
  private readonly key: string;
  private readonly path: string;
  /** Held open only while images are read from the file one by one. */
  private opening?: Promise<PackFile>;
  private loading?: Promise<Uint8Array | undefined>;

  /**
   * @param pack closed or open; it is opened again when images are read
   * @param memoryBytes the most that is held in memory
   * @param pixels the images, where they are in memory already
   */
  constructor(
    pack: PackFile,
    list: ImageList,
    private readonly memoryBytes: number,
    pixels?: Uint8Array,
  ) {
    this.name = list.name;
    this.size = list.files.length;
    this.imageShape = pack.contents.imageShape;
    this.classNames = list.classNames;
    this.labels = list.labels;
    this.groups = list.groups;
    this.files = list.files;
    this.key = pack.contents.key;
    this.path = pack.path;
    if (pixels) this.loading = Promise.resolve(pixels);
  }

  async read(indices: ArrayLike<number>): Promise<Uint8Array> {
    checkIndices(this, indices);
    const [height, width, channels] = this.imageShape;
    const bytes = height * width * channels;
    const pixels = new Uint8Array(indices.length * bytes);
    const memory = await (this.loading ??= this.load(bytes));
    if (memory) {
      for (let i = 0; i < indices.length; i++) {
        const start = indices[i] * bytes;
        pixels.set(memory.subarray(start, start + bytes), i * bytes);
      }
      return pixels;
    }
    const pack = await (this.opening ??= this.openPack());
    let next = 0;
    const lane = async (): Promise<void> => {
      while (next < indices.length) {
        const i = next++;
        await pack.read(indices[i], 1, pixels.subarray(i * bytes, (i + 1) * bytes));
      }
    };
    await Promise.all(Array.from({ length: FILE_LANES }, lane));
    return pixels;
  }

  describe(index: number): string {
    checkIndices(this, [index]);
    return fileOf(this.files[index]);
  }

  async close(): Promise<void> {
    const { opening } = this;
    this.opening = undefined;
    this.loading = undefined;
    await (await opening?.catch(() => undefined))?.close();
  }

  private async load(bytes: number): Promise<Uint8Array | undefined> {
    if (this.size * bytes > this.memoryBytes) return undefined;
    const pack = await this.openPack();
    try {
      const memory = new Uint8Array(this.size * bytes);
      await pack.read(0, this.size, memory);
      return memory;
    } finally {
      await pack.close();
    }
  }

  private async openPack(): Promise<PackFile> {
    const pack = await PackFile.open(this.path, this.key);
    if (pack) return pack;
    throw new DataError(
      `${this.path}: the decoded images of ${this.name} are no longer there`,
      'start again: they are decoded anew',
    );
  }
}
