/** What a data set is to the rest of the program, and the one that keeps its images in memory. */
import { DataError } from '../gpu/errors.js';

/** Labelled images of one size, as unsigned bytes in NHWC. */
export interface ImageDataset {
  readonly name: string;
  /** Number of examples. */
  readonly size: number;
  /** Height, width and channels (1 grey, 3 red-green-blue) of every image. */
  readonly imageShape: readonly [number, number, number];
  readonly classNames: readonly string[];
  /** One class number per example; known without decoding an image. */
  readonly labels: Int32Array;
  /** Examples with the same number belong together (frames of one track); splits keep them whole. */
  readonly groups?: Int32Array;
  /** Pixels of the given examples, in the given order: [indices.length, H, W, C]. */
  read(indices: ArrayLike<number>): Promise<Uint8Array>;
  /** Where an example comes from, for people: a file, or a position in one. */
  describe?(index: number): string;
  /** Gives back workers and cached images. A later read starts them again. */
  close(): Promise<void>;
}

/** Bytes of one image. */
export function imageBytes(dataset: Pick<ImageDataset, 'imageShape'>): number {
  const [height, width, channels] = dataset.imageShape;
  return height * width * channels;
}

/** Throws a DataError unless every index is an example of the data set. */
export function checkIndices(dataset: ImageDataset, indices: ArrayLike<number>): void {
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i];
    if (!Number.isInteger(index) || index < 0 || index >= dataset.size) {
      throw new DataError(
        `${dataset.name}: index ${index} is outside 0..${dataset.size - 1} (${dataset.size} examples)`,
      );
    }
  }
}

/** Throws a DataError unless every label is a class; `where` names an example for the message. */
export function checkLabels(
  file: string,
  labels: ArrayLike<number>,
  classCount: number,
  where: (index: number) => string = (index) => `example ${index}`,
): void {
  for (let i = 0; i < labels.length; i++) {
    if (labels[i] >= 0 && labels[i] < classCount) continue;
    throw new DataError(
      `${file}: label ${labels[i]} of ${where(i)} is outside 0..${classCount - 1}` +
        ` (${classCount} classes)`,
      `mend that label, or name the right number of classes`,
    );
  }
}

/** Class names '0', '1', … for data whose classes are only numbered. */
export function numberedClasses(count: number): string[] {
  return Array.from({ length: count }, (_, index) => String(index));
}

export interface MemoryDatasetFields {
  name: string;
  imageShape: readonly [number, number, number];
  classNames: readonly string[];
  labels: Int32Array;
  images: Uint8Array;
  groups?: Int32Array;
  describe?: (index: number) => string;
}

/** A data set whose pixels lie in one array, [size, H, W, C]. */
export class MemoryDataset implements ImageDataset {
  readonly name: string;
  readonly size: number;
  readonly imageShape: readonly [number, number, number];
  readonly classNames: readonly string[];
  readonly labels: Int32Array;
  readonly groups?: Int32Array;
  readonly images: Uint8Array;
  private readonly describeExample?: (index: number) => string;

  constructor(fields: MemoryDatasetFields) {
    this.name = fields.name;
    this.size = fields.labels.length;
    this.imageShape = fields.imageShape;
    this.classNames = fields.classNames;
    this.labels = fields.labels;
    this.groups = fields.groups;
    this.images = fields.images;
    this.describeExample = fields.describe;
    const expected = this.size * imageBytes(this);
    if (this.images.length !== expected) {
      const [height, width, channels] = this.imageShape;
      throw new DataError(
        `${this.name}: expected ${expected} bytes of pixels (${this.size} labels, images` +
          ` [H=${height} W=${width} C=${channels}]), got ${this.images.length}`,
      );
    }
    checkLabels(this.name, this.labels, this.classNames.length);
  }

  async read(indices: ArrayLike<number>): Promise<Uint8Array> {
    checkIndices(this, indices);
    const bytes = imageBytes(this);
    const pixels = new Uint8Array(indices.length * bytes);
    for (let i = 0; i < indices.length; i++) {
      const start = indices[i] * bytes;
      pixels.set(this.images.subarray(start, start + bytes), i * bytes);
    }
    return pixels;
  }

  describe(index: number): string {
    return this.describeExample?.(index) ?? `${this.name} #${index}`;
  }

  async close(): Promise<void> {}
}
