/** Image files to pixels: JPEG, PNG and WebP through sharp, PPM and PGM by our own reader. */
import { readFile } from 'node:fs/promises';
import sharp from 'sharp';
import { DataError, TilegradError } from '../gpu/errors.js';
import { isPortableMap, parsePortableMap } from './ppm.js';
import { convertChannels, resizePixels } from './resize.js';

/** File names that count as images. */
export const IMAGE_EXTENSIONS = ['jpg', 'jpeg', 'png', 'webp', 'ppm', 'pgm'] as const;

/** Whether a file name ends like an image's. */
export function isImageName(name: string): boolean {
  const extension = name.slice(name.lastIndexOf('.') + 1).toLowerCase();
  return (IMAGE_EXTENSIONS as readonly string[]).includes(extension);
}

async function readBytes(file: string): Promise<Buffer> {
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (error) {
    throw new DataError(`${file}: cannot be read: ${(error as Error).message}`);
  }
  if (bytes.length === 0) {
    throw new DataError(`${file}: broken image: the file is empty`, 'replace or delete the file');
  }
  return bytes;
}

function brokenImage(file: string, error: unknown): TilegradError {
  if (error instanceof TilegradError) return error;
  // The decoder's own words: a general line, and where there is one what it stumbled on.
  const lines = (error as Error).message.split('\n').map((line) => line.trim());
  const reason = lines.filter(Boolean).slice(0, 2).join(' ').replace(/:$/, '');
  return new DataError(`${file}: broken image: ${reason}`, 'replace or delete the file');
}

/**
 * Pixels of an image file, [H, W, channels], scaled to the given size (its aspect ratio follows).
 * A photo is turned upright as its camera noted it; transparent parts become white.
 *
 * @throws DataError that names the file when it is missing or broken
 */
export async function decodeImage(
  file: string,
  imageSize: readonly [number, number],
  channels: 1 | 3,
): Promise<Uint8Array> {
  const bytes = await readBytes(file);
  try {
    if (isPortableMap(bytes)) {
      const image = parsePortableMap(bytes, file);
      const shape = [image.height, image.width, image.channels] as const;
      const resized = await resizePixels(image.pixels, shape, imageSize);
      return convertChannels(resized, image.channels, channels);
    }
    const [height, width] = imageSize;
    const colour = await sharp(bytes)
      .autoOrient()
      .flatten({ background: '#fff' })
      .resize(width, height, { fit: 'fill' })
      .toColourspace('srgb')
      .raw()
      .toBuffer();
    return convertChannels(colour, 3, channels);
  } catch (error) {
    throw brokenImage(file, error);
  }
}

/** Height and width of an image file, from its header. */
export async function probeImage(file: string): Promise<[number, number]> {
  const bytes = await readBytes(file);
  try {
    if (isPortableMap(bytes)) {
      const { height, width } = parsePortableMap(bytes, file);
      return [height, width];
    }
    const { autoOrient } = await sharp(bytes).metadata();
    return [autoOrient.height, autoOrient.width];
  } catch (error) {
    throw brokenImage(file, error);
  }
}

/** Images decoded at a time by one caller, so that reading a file overlaps with decoding another. */
const LANES = 4;

/** Decodes files into one array, [files, H, W, C]. */
export async function decodeFiles(
  files: readonly string[],
  [height, width, channels]: readonly [number, number, number],
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = height * width * channels;
  const pixels = new Uint8Array(files.length * bytes);
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < files.length) {
      const index = next++;
      const image = await decodeImage(files[index], [height, width], channels as 1 | 3);
      pixels.set(image, index * bytes);
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return pixels;
}
