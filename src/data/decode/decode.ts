/**
 * Image files to pixels: PPM, PGM and BMP by our own readers, the others through sharp. A file is decoded whole
 * in its own size, and its pixels then resized (resample.ts): the same picture gives the same pixels
 * in whatever format it comes.
 */
import { readFile, stat } from 'node:fs/promises';
import sharp from 'sharp';
import { DataError, TilegradError } from '../../errors.js';
import { bitmapSize, parseBitmap } from './bmp.js';
import { imageKind, kindsText, type ImageKind } from './image_kind.js';
import { PixelBudget } from './pixel_budget.js';
import { parsePortableMap, portableMapSize, type RawImage } from './ppm.js';
import { resizeImage } from './resample.js';
import { convertChannels } from './resize.js';

/** Of the rules by which files become pixels: raised when a change to them changes pixels. */
export const DECODE_VERSION = 3;

/** File names that count as images. */
export const IMAGE_EXTENSIONS = [
  ...(['jpg', 'jpeg', 'png', 'webp', 'gif', 'tif', 'tiff', 'avif'] as const),
  ...(['bmp', 'ppm', 'pgm'] as const),
] as const;

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
 * Larger images are refused: decoded, 2²⁷ pixels are 400 MB. Photos are smaller (a camera of 100
 * megapixels makes 10⁸). Interlaced and progressive ones, which a decoder holds whole a second time, are
 * refused from half as many on.
 */
export const LARGEST_PIXELS = 2 ** 27;
export const LARGEST_INTERLACED_PIXELS = 2 ** 26;
const LARGEST_BYTES = 2 ** 29;

/** Pixels that a thread has decoded at a time, 100 MB; a larger image waits until it is alone. */
const budget = new PixelBudget(2 ** 25);

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

function tooLarge(file: string, size: string, most = LARGEST_PIXELS): DataError {
  const isInterlaced = most === LARGEST_INTERLACED_PIXELS;
  return new DataError(
    `${file}: image too large: ${size}, ${isInterlaced ? 'interlaced ones' : 'decoded'} are at most` +
      ` ${most} pixels from ${LARGEST_BYTES} bytes`,
    'scale it down or delete the file',
  );
}

/** What is known of an image before it is decoded; height and width are those of the upright image. */
interface Header {
  kind: ImageKind;
  height: number;
  width: number;
  isCmyk: boolean;
  hasAlpha: boolean;
  isInterlaced: boolean;
}

async function readHeader(bytes: Buffer, file: string): Promise<Header> {
  const found = imageKind(bytes);
  if ('instead' in found) {
    throw new DataError(
      `${file}: broken image: expected the content of ${kindsText}, got ${found.instead}`,
      'replace or delete the file',
    );
  }
  const { kind } = found;
  if (kind === 'PPM or PGM' || kind === 'BMP') {
    const sizeOf = kind === 'BMP' ? bitmapSize : portableMapSize;
    const { height, width } = sizeOf(bytes, file);
    return { kind, height, width, isCmyk: false, hasAlpha: false, isInterlaced: false };
  }
  const options = { limitInputPixels: false };
  const metadata = await sharp(bytes, options).metadata();
  const { height, width } = metadata.autoOrient;
  return {
    ...{ kind, height, width },
    ...{ isCmyk: metadata.space === 'cmyk', hasAlpha: metadata.hasAlpha },
    isInterlaced: metadata.isProgressive,
  };
}

function brokenImage(file: string, error: unknown): TilegradError {
  if (error instanceof TilegradError) return error;
  // The decoder's own words: a general line, and if there is one what it stumbled on.
  const lines = (error as Error).message.split('\n').map((line) => line.trim());
  const reason = lines.filter(Boolean).slice(0, 2).join(' ').replace(/:$/, '');
  return new DataError(`${file}: broken image: ${reason}`, 'replace or delete the file');
}

/**
 * The pixels of a whole file, upright, transparent parts white. Colour profiles are left alone, as
 * other loaders of training images do.
 */
async function decodeWhole(bytes: Buffer, header: Header, file: string): Promise<RawImage> {
  if (header.kind === 'PPM or PGM') return parsePortableMap(bytes, file);
  if (header.kind === 'BMP') return parseBitmap(bytes, file);
  const options = { limitInputPixels: LARGEST_PIXELS, ignoreIcc: true };
  const image = sharp(bytes, options).autoOrient();
  if (header.hasAlpha) image.flatten({ background: '#fff' });
  if (header.isCmyk) image.pipelineColourspace('cmyk').toColourspace('cmyk');
  else image.toColourspace('srgb');
  const { data, info } = await image.raw().toBuffer({ resolveWithObject: true });
  const { height, width, channels } = info;
  const pixels = header.isCmyk ? fromCmyk(data, channels) : data;
  return { pixels, height, width, channels: 3 };
}

/** Shares of ink to light, (1 − ink) · (1 − black), without a profile of any printer. */
function fromCmyk(inks: Uint8Array, channels: number): Uint8Array {
  const count = inks.length / channels;
  const pixels = new Uint8Array(count * 3);
  for (let i = 0; i < count; i++) {
    const light = 255 - inks[i * channels + 3];
    for (let c = 0; c < 3; c++) {
      pixels[i * 3 + c] = Math.round((light * (255 - inks[i * channels + c])) / 255);
    }
  }
  return pixels;
}

function cropped(image: RawImage, region: Region, file: string): RawImage {
  checkRegion(file, region, image.height, image.width);
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
  const bytes = await readBytes(file);
  try {
    const header = await readHeader(bytes, file);
    const { height, width, isInterlaced } = header;
    const most = isInterlaced ? LARGEST_INTERLACED_PIXELS : LARGEST_PIXELS;
    if (height * width > most) {
      throw tooLarge(file, `${height}×${width} pixels (height × width)`, most);
    }
    return await budget.run(height * width, async () => {
      const whole = await decodeWhole(bytes, header, file);
      const image = typeof source === 'string' ? whole : cropped(whole, source.region, file);
      const resized = resizeImage(image, ...imageSize);
      return convertChannels(resized.pixels, resized.channels, channels);
    });
  } catch (error) {
    throw brokenImage(file, error);
  }
}

/** Height and width of an image file, from its header. */
export async function probeImage(source: ImageSource): Promise<[number, number]> {
  if (typeof source !== 'string') return [source.region.height, source.region.width];
  const bytes = await readBytes(source);
  try {
    const { height, width } = await readHeader(bytes, source);
    return [height, width];
  } catch (error) {
    throw brokenImage(source, error);
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

/** The pixels, when all files were decoded; throws a DataError for the first that was not. */
export function requireAll({ pixels, failures }: DecodedFiles): Uint8Array<ArrayBuffer> {
  if (failures.length > 0) throw new DataError(failures[0].message, failures[0].fix);
  return pixels;
}
