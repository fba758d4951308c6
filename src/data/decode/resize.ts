/** Images of another size or number of channels than a data set holds, made as they are read. */
import { UsageError, wordsFor } from '../../errors.js';
import { checkIndices, imageBytes, type ImageDataset } from '../dataset.js';
import { resizeImage } from './resample.js';

export interface ImageForm {
  /** Height and width. */
  imageSize?: readonly [number, number];
  channels?: 1 | 3;
  /**
   * 'later' keeps images in their own size where all have one and it is smaller than `imageSize`: the
   * GPU enlarges them, and until then they take less room. Default 'cpu': they are enlarged here.
   */
  enlarge?: 'cpu' | 'later';
}

/** Throws a UsageError for a size or number of channels no image can have. */
export function checkImageForm({ imageSize, channels, enlarge = 'cpu' }: ImageForm): void {
  if (imageSize !== undefined) {
    const [height, width] = imageSize;
    const isSize = (extent: number): boolean =>
      Number.isInteger(extent) && extent >= 1 && extent <= 4096;
    if (imageSize.length !== 2 || !isSize(height) || !isSize(width)) {
      throw new UsageError(
        `data: ${wordsFor({ program: 'imageSize', commandLine: '--input' })} must be height and width` +
          ` from 1 to 4096, got [${imageSize.join(', ')}]`,
      );
    }
  }
  if (channels !== undefined && channels !== 1 && channels !== 3) {
    throw new UsageError(
      `data: channels must be 1 (grey) or 3 (colour), got ${channels as number}`,
    );
  }
  if (enlarge !== 'cpu' && enlarge !== 'later') {
    throw new UsageError(`data: enlarge must be 'cpu' or 'later', got '${enlarge as string}'`);
  }
}

/** Bytes of the same pixels with 1 or 3 channels; grey is the luma of Rec. 601, as in JPEG. */
export function convertChannels(pixels: Uint8Array, from: number, to: number): Uint8Array {
  if (from === to) return pixels;
  const count = pixels.length / from;
  const result = new Uint8Array(count * to);
  for (let i = 0; i < count; i++) {
    if (to === 3) result.fill(pixels[i * from], i * 3, i * 3 + 3);
    else {
      const [red, green, blue] = [pixels[i * 3], pixels[i * 3 + 1], pixels[i * 3 + 2]];
      result[i] = Math.round(0.299 * red + 0.587 * green + 0.114 * blue);
    }
  }
  return result;
}

/** Pixels of one image scaled to another size; the aspect ratio follows the new size. */
export function resizePixels(
  pixels: Uint8Array,
  [height, width, channels]: readonly [number, number, number],
  [newHeight, newWidth]: readonly [number, number],
): Uint8Array {
  const image = { pixels, height, width, channels: channels as 1 | 3 };
  return resizeImage(image, newHeight, newWidth).pixels;
}

/**
 * The data set with its images in the size and channels asked for; the data set itself where it has
 * them already.
 */
export function inForm(dataset: ImageDataset, form: ImageForm): ImageDataset {
  checkImageForm(form);
  const [height, width, channels] = dataset.imageShape;
  const wanted = form.imageSize ?? [height, width];
  const isLater = form.enlarge === 'later' && height <= wanted[0] && width <= wanted[1];
  const [newHeight, newWidth] = isLater ? [height, width] : wanted;
  const newChannels = form.channels ?? channels;
  if (newHeight === height && newWidth === width && newChannels === channels) return dataset;
  const imageShape = [newHeight, newWidth, newChannels] as const;
  const read = async (indices: ArrayLike<number>): Promise<Uint8Array> => {
    checkIndices(dataset, indices);
    const bytes = imageBytes(dataset);
    const newBytes = imageBytes({ imageShape });
    const originals = await dataset.read(indices);
    const result = new Uint8Array(indices.length * newBytes);
    for (let i = 0; i < indices.length; i++) {
      const image = originals.subarray(i * bytes, (i + 1) * bytes);
      const resized = resizePixels(image, dataset.imageShape, [newHeight, newWidth]);
      result.set(convertChannels(resized, channels, newChannels), i * newBytes);
    }
    return result;
  };
  return {
    name: dataset.name,
    size: dataset.size,
    imageShape,
    classNames: dataset.classNames,
    labels: dataset.labels,
    groups: dataset.groups,
    read,
    describe: (index) => dataset.describe?.(index) ?? `${dataset.name} #${index}`,
    close: () => dataset.close(),
  };
}
