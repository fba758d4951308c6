import { ShapeError } from '../errors.js';
import { MemoryDataset, numberedClasses } from './dataset.js';

export interface ArraysOptions {
  /** Height, width and channels (1 or 3) of each image. */
  imageShape: readonly [number, number, number];
  /** Default: numbers, up to the largest label. */
  classNames?: readonly string[];
  /** For error texts and reports. Default 'arrays'. */
  name?: string;
}

/**
 * A data set of images that a program has in memory.
 *
 * `x` are the pixels of all images, row by row, NHWC: bytes, or floats from 0 (black) to 1. `y` is a class
 * number for each image.
 *
 * **Errors** ShapeError if x is not a whole number of images, y has another length, or a pixel lies
 * outside its range; DataError for a label without a class.
 *
 * @example
 * const dataset = arrays(pixels, labels, { imageShape: [28, 28, 1] });
 */
export function arrays(
  x: Uint8Array | Float32Array,
  y: ArrayLike<number>,
  { imageShape, classNames, name = 'arrays' }: ArraysOptions,
): MemoryDataset {
  const perImage = imageShape.reduce((product, extent) => product * extent, 1);
  const shape = `[${imageShape.join(', ')}]`;
  if (perImage < 1 || x.length === 0 || x.length % perImage !== 0) {
    throw new ShapeError(
      `arrays: expected whole images of ${shape} (${perImage} values each), got ${x.length} values`,
      'pass height, width and channels of one image as imageShape',
    );
  }
  const count = x.length / perImage;
  if (y.length !== count) {
    throw new ShapeError(`arrays: expected a label for each of ${count} images, got ${y.length}`);
  }
  const labels = Int32Array.from(y);
  const most = labels.reduce((largest, label) => Math.max(largest, label), 1);
  const names = classNames ?? numberedClasses(most + 1);
  return new MemoryDataset({
    ...{ name, imageShape: [...imageShape], classNames: names, labels },
    images: x instanceof Uint8Array ? x : bytesOf(x),
  });
}

function bytesOf(x: Float32Array): Uint8Array {
  const wrong = x.findIndex((value) => !(value >= 0 && value <= 1));
  if (wrong >= 0) {
    throw new ShapeError(
      `arrays: expected floats from 0 to 1, got ${x[wrong]} at ${wrong}`,
      'divide by the largest pixel, or pass bytes (Uint8Array)',
    );
  }
  return Uint8Array.from(x, (value) => Math.round(value * 255));
}
