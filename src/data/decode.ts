/** Image files to pixels: JPEG, PNG and WebP through sharp, PPM and PGM by our own reader. */
import { readFile, stat } from 'node:fs/promises';
import sharp, { type Sharp } from 'sharp';
import { DataError, TilegradError } from '../gpu/errors.js';
import { isPortableMap, parsePortableMap, portableMapSize, type RawImage } from './ppm.js';
import { convertChannels, resizePixels } from './resize.js';

/** File names that count as images. */
export const IMAGE_EXTENSIONS = ['jpg', 'jpeg', 'png', 'webp', 'ppm', 'pgm'] as const;

/** Whether a file name ends like an image's. */
export function isImageName(name: string): boolean {
  const extension = name.slice(name.lastIndexOf('.') + 1).toLowerCase();
  return (IMAGE_EXTENSIONS as readonly string[]).includes(extension);
}

/** A part of an image, in its own pixels. */
export interface Region {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** An image file, or a part of one. */
export type ImageSource = string | { file: string; region: Region };

/** The file of an image. */
export function fileOf(source: ImageSource): string {
  return typeof source === 'string' ? source : source.file;
}

/**
 * Larger images are refused: 2²⁸ pixels are 800 MB once decoded, and several are decoded at a time.
 * Photos are far smaller (a camera of 100 megapixels makes 10⁸).
 */
export const LARGEST_PIXELS = 2 ** 28;
const LARGEST_BYTES = 2 ** 29;

async function readBytes(file: string): Promise<Buffer> {
  let bytes: Buffer;
  try {
    // Looked at first: to open a pipe that nobody writes to would take forever.
    const info = await stat(file);
    if (!info.isFile()) throw new DataError(`${file}: broken image: not a regular file`);
    if (info.size > LARGEST_BYTES) throw tooLarge(file, `${info.size} bytes`);
    bytes = await readFile(file);
  } catch (error) {
    if (error instanceof TilegradError) throw error;
    throw new DataError(`${file}: cannot be read: ${(error as Error).message}`);
  }
  if (bytes.length === 0) {
    throw new DataError(`${file}: broken image: the file is empty`, 'replace or delete the file');
  }
  return bytes;
}

function tooLarge(file: string, size: string): DataError {
  return new DataError(
    `${file}: image too large: ${size}, decoded are at most ${LARGEST_PIXELS} pixels from` +
      ` ${LARGEST_BYTES} bytes`,
    'scale it down or delete the file',
  );
}

function decoder(bytes: Buffer): Sharp {
  return sharp(bytes, { limitInputPixels: LARGEST_PIXELS });
}

async function brokenImage(file: string, bytes: Buffer, error: unknown): Promise<TilegradError> {
  if (error instanceof TilegradError) return error;
  const { message } = error as Error;
  if (/exceeds pixel limit/i.test(message)) {
    const { height, width } = await sharp(bytes, { limitInputPixels: false }).metadata();
    return tooLarge(file, `${height}×${width} pixels (height × width)`);
  }
  // The decoder's own words: a general line, and where there is one what it stumbled on.
  const lines = message.split('\n').map((line) => line.trim());
  const reason = lines.filter(Boolean).slice(0, 2).join(' ').replace(/:$/, '');
  return new DataError(`${file}: broken image: ${reason}`, 'replace or delete the file');
}

/** The samples of a PPM or PGM; none of one that is too large. */
function parsePixmap(bytes: Buffer, file: string): RawImage {
  const { height, width } = portableMapSize(bytes, file);
  if (height * width > LARGEST_PIXELS) {
    throw tooLarge(file, `${height}×${width} pixels (height × width)`);
  }
  return parsePortableMap(bytes, file);
}

function cropped(image: RawImage, region: Region): RawImage {
  const { left, top, width, height } = region;
  const { channels } = image;
  const pixels = new Uint8Array(height * width * channels);
  for (let y = 0; y < height; y++) {
    const start = ((top + y) * image.width + left) * channels;
    pixels.set(image.pixels.subarray(start, start + width * channels), y * width * channels);
  }
  return { pixels, height, width, channels };
}

function checkRegion(file: string, region: Region, height: number, width: number): void {
  const { left, top } = region;
  const isInside =
    [left, top].every((value) => Number.isInteger(value) && value >= 0) &&
    [region.width, region.height].every((value) => Number.isInteger(value) && value >= 1) &&
    left + region.width <= width &&
    top + region.height <= height;
  if (isInside) return;
  throw new DataError(
    `${file}: region of ${region.height}×${region.width} (height × width) from column ${left}, row` +
      ` ${top} on is not inside the image of ${height}×${width}`,
    'mend the table of regions',
  );
}

/**
 * Pixels of an image file, [H, W, channels], scaled to the given size (its aspect ratio follows).
 * A photo is turned upright as its camera noted it; transparent parts become white. Of a source with
 * a region only that part is taken.
 *
 * @throws DataError that names the file when it is missing, broken or larger than LARGEST_PIXELS
 */
export async function decodeImage(
  source: ImageSource,
  imageSize: readonly [number, number],
  channels: 1 | 3,
): Promise<Uint8Array> {
  const file = fileOf(source);
  const region = typeof source === 'string' ? undefined : source.region;
  const bytes = await readBytes(file);
  try {
    if (isPortableMap(bytes)) {
      const whole = parsePixmap(bytes, file);
      if (region) checkRegion(file, region, whole.height, whole.width);
      const image = region ? cropped(whole, region) : whole;
      const shape = [image.height, image.width, image.channels] as const;
      const resized = await resizePixels(image.pixels, shape, imageSize);
      return convertChannels(resized, image.channels, channels);
    }
    const [height, width] = imageSize;
    let image = decoder(bytes).autoOrient();
    if (region) {
      const { autoOrient } = await decoder(bytes).metadata();
      checkRegion(file, region, autoOrient.height, autoOrient.width);
      image = image.extract(region);
    }
    const colour = await image
      .flatten({ background: '#fff' })
      .resize(width, height, { fit: 'fill' })
      .toColourspace('srgb')
      .raw()
      .toBuffer();
    return convertChannels(colour, 3, channels);
  } catch (error) {
    throw await brokenImage(file, bytes, error);
  }
}

/** Height and width of an image file, from its header. */
export async function probeImage(source: ImageSource): Promise<[number, number]> {
  if (typeof source !== 'string') return [source.region.height, source.region.width];
  const file = source;
  const bytes = await readBytes(file);
  try {
    if (isPortableMap(bytes)) {
      const { height, width } = portableMapSize(bytes, file);
      return [height, width];
    }
    const { autoOrient } = await decoder(bytes).metadata();
    return [autoOrient.height, autoOrient.width];
  } catch (error) {
    throw await brokenImage(file, bytes, error);
  }
}

/** Images decoded at a time by one caller, so that reading a file overlaps with decoding another. */
const LANES = 4;

/** Why one of several files was not decoded. */
export interface DecodeFailure {
  /** Its place among the files. */
  index: number;
  message: string;
  fix?: string;
}

/** Pixels of several files, [files, H, W, C]; those of a file that failed are undefined. */
export interface DecodedFiles {
  pixels: Uint8Array<ArrayBuffer>;
  failures: DecodeFailure[];
}

/** Decodes files into one array; a file that cannot be decoded does not keep the others from it. */
export async function decodeEach(
  files: readonly ImageSource[],
  [height, width, channels]: readonly [number, number, number],
): Promise<DecodedFiles> {
  const bytes = height * width * channels;
  const pixels = new Uint8Array(files.length * bytes);
  const failures: DecodeFailure[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < files.length) {
      const index = next++;
      try {
        const image = await decodeImage(files[index], [height, width], channels as 1 | 3);
        pixels.set(image, index * bytes);
      } catch (error) {
        if (!(error instanceof TilegradError)) throw error;
        failures.push({ index, message: error.message.split('\nfix: ')[0], fix: error.fix });
      }
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return { pixels, failures: failures.sort((a, b) => a.index - b.index) };
}

/** Decodes files into one array, [files, H, W, C]; throws a DataError for the first that fails. */
export async function decodeFiles(
  files: readonly ImageSource[],
  imageShape: readonly [number, number, number],
): Promise<Uint8Array<ArrayBuffer>> {
  return requireAll(await decodeEach(files, imageShape));
}

/** The pixels, when all files were decoded; throws a DataError for the first that was not. */
export function requireAll({ pixels, failures }: DecodedFiles): Uint8Array<ArrayBuffer> {
  if (failures.length > 0) throw new DataError(failures[0].message, failures[0].fix);
  return pixels;
}
