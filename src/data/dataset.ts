/** The interface of data sets, and the data set that keeps its images in memory. */
import { DataError, type Fix } from '../errors.js';
import { listed } from './parts.js';

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

/** A data set made of another one: the same but for `changes`. Closing it closes the other. */
export function derived(dataset: ImageDataset, changes: Partial<ImageDataset>): ImageDataset {
  const { name, size, imageShape, classNames, labels, groups } = dataset;
  return {
    ...{ name, size, imageShape, classNames, labels, groups },
    read: (indices) => dataset.read(indices),
    describe: (index) => dataset.describe?.(index) ?? `${name} #${index}`,
    close: () => dataset.close(),
    ...changes,
  };
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
    let most = 0;
    for (let k = 0; k < labels.length; k++) most = Math.max(most, labels[k]);
    throw new DataError(
      `${file}: label ${labels[i]} of ${where(i)} is outside 0..${classCount - 1}` +
        ` (${classCount} classes)`,
      {
        program: `mend that label, or name the right number of classes: classCount ${most + 1}`,
        commandLine: `mend that label, or name the right number of classes: --classes ${most + 1}`,
      },
    );
  }
}

/** What to do about images of several sizes. */
export const ONE_SIZE_FIX: Fix = {
  program: 'ask for one size, to which all are scaled: imageSize: [H, W]',
  commandLine: 'ask for one size, to which all are scaled: --input H,W,C',
};

/** Throws a DataError for a part whose images have another shape than those of another part. */
export function checkSameShape(first: ImageDataset, dataset: ImageDataset): void {
  const [shape, expected] = [dataset.imageShape, first.imageShape].map((sizes) => sizes.join('×'));
  if (shape === expected) return;
  throw new DataError(
    `${dataset.name}: images of ${shape} (height × width × channels), those of ${first.name} are` +
      ` ${expected}`,
    ONE_SIZE_FIX,
  );
}

/** A note about classes without images; undefined if all have some. */
export function emptyClassesNote({ name, classNames, labels }: ImageDataset): string[] {
  const present = new Set(labels);
  const empty = classNames.filter((_, label) => !present.has(label));
  if (empty.length === 0) return [];
  const many = empty.length === 1 ? 'a class' : `${empty.length} classes`;
  const isOneOff = empty.length === 1 && !present.has(0) && classNames[0] === '0';
  const why = isOneOff ? ': its labels begin at 1' : '';
  return [`${name}: ${many} without images (${listed(empty)})${why}`];
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
