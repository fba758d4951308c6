/**
 * Windows bitmaps as programs write them: 1, 4 or 8 bits a pixel by a palette, 16, 24 or 32 bits, not
 * compressed. The prebuilt sharp reads none.
 *
 * Source: Microsoft, "Bitmap Storage" (BITMAPFILEHEADER, BITMAPINFOHEADER, BITMAPV4HEADER).
 */
import { DataError } from '../../errors.js';
import type { RawImage } from './ppm.js';

interface Header {
  width: number;
  height: number;
  /** Whether the first row is the top one. */
  isTopDown: boolean;
  bits: number;
  /** Where palette and pixels begin. */
  palette: number;
  colors: number;
  pixels: number;
  /** Which bits of a pixel are red, green and blue; of 16 and 32 bits. */
  masks: readonly [number, number, number];
}

const DEPTHS = [1, 4, 8, 16, 24, 32];
const FILE_HEADER = 14;
/** Compressions: none, and none with masks of its own. */
const RGB = 0;
const BITFIELDS = 3;

/** Height and width from the header alone. Errors: as `parseBitmap`, but for the pixels. */
export function bitmapSize(bytes: Uint8Array, file: string): { height: number; width: number } {
  return readHeader(bytes, file);
}

/**
 * Takes a bitmap apart; transparency is left out, as most readers do.
 *
 * @throws DataError for a compressed one, a broken header, or missing pixels
 */
export function parseBitmap(bytes: Uint8Array, file: string): RawImage {
  const header = readHeader(bytes, file);
  const { width, height, bits, isTopDown } = header;
  const rowBytes = Math.ceil((width * bits) / 32) * 4;
  if (bytes.length - header.pixels < rowBytes * height) {
    throw broken(
      file,
      `truncated: expected ${rowBytes * height} bytes of pixels, got ${bytes.length - header.pixels}`,
    );
  }
  const colorOf = bits <= 8 ? paletteColors(bytes, header, file) : directColors(bytes, header);
  const pixels = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    const row = header.pixels + (isTopDown ? y : height - 1 - y) * rowBytes;
    for (let x = 0; x < width; x++) pixels.set(colorOf(row, x), (y * width + x) * 3);
  }
  return { pixels, height, width, channels: 3 };
}

type ColorOf = (row: number, x: number) => ArrayLike<number>;

function paletteColors(
  bytes: Uint8Array,
  { bits, palette, colors }: Header,
  file: string,
): ColorOf {
  const table = Array.from({ length: colors }, (_, i) => {
    const at = palette + i * 4;
    return [bytes[at + 2], bytes[at + 1], bytes[at]];
  });
  const perByte = 8 / bits;
  return (row, x) => {
    const byte = bytes[row + Math.floor(x / perByte)];
    const index = (byte >> (8 - bits * ((x % perByte) + 1))) & (2 ** bits - 1);
    if (index < table.length) return table[index];
    throw broken(file, `a pixel has color ${index} of a palette of ${table.length}`);
  };
}

function directColors(bytes: Uint8Array, { bits, masks }: Header): ColorOf {
  if (bits === 24) {
    return (row, x) => {
      const at = row + 3 * x;
      return [bytes[at + 2], bytes[at + 1], bytes[at]];
    };
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parts = masks.map((mask) => {
    const shift = mask === 0 ? 0 : 31 - Math.clz32(mask & -mask);
    return { mask, shift, largest: mask >>> shift || 1 };
  });
  return (row, x) => {
    const value =
      bits === 16 ? view.getUint16(row + 2 * x, true) : view.getUint32(row + 4 * x, true);
    return parts.map(({ mask, shift, largest }) =>
      Math.round((((value & mask) >>> shift) * 255) / largest),
    );
  };
}

function readHeader(bytes: Uint8Array, file: string): Header {
  if (bytes.length < FILE_HEADER + 40) throw broken(file, 'the header is not whole');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerBytes = view.getUint32(14, true);
  if (headerBytes < 40 || headerBytes > 124) {
    throw broken(file, `a header of ${headerBytes} bytes, expected 40 to 124`);
  }
  const [width, signedHeight] = [view.getInt32(18, true), view.getInt32(22, true)];
  const height = Math.abs(signedHeight);
  if (width < 1 || height < 1 || width > 65535 || height > 65535) {
    throw broken(file, `its size is ${width} × ${signedHeight}`);
  }
  const [bits, compression] = [view.getUint16(28, true), view.getUint32(30, true)];
  const hasMasks = compression === BITFIELDS && (bits === 16 || bits === 32);
  if (!DEPTHS.includes(bits) || (compression !== RGB && !hasMasks)) {
    throw new DataError(
      `${file}: a BMP of ${bits} bits a pixel with compression ${compression} is not read`,
      'save it without compression, or as PNG',
    );
  }
  const palette = FILE_HEADER + headerBytes;
  const pixels = view.getUint32(10, true);
  const colors = bits <= 8 ? view.getUint32(46, true) || 2 ** bits : 0;
  if (colors > 2 ** bits || palette + 4 * colors > bytes.length) {
    throw broken(file, `a palette of ${colors} colors`);
  }
  const maskAt = (i: number): number =>
    hasMasks && FILE_HEADER + 52 <= bytes.length
      ? view.getUint32(FILE_HEADER + 40 + 4 * i, true)
      : bits === 16
        ? 0x7c00 >> (5 * i)
        : 0xff0000 >> (8 * i);
  return {
    ...{ width, height, isTopDown: signedHeight < 0, bits, palette, colors, pixels },
    masks: [maskAt(0), maskAt(1), maskAt(2)],
  };
}

function broken(file: string, what: string): DataError {
  return new DataError(`${file}: broken BMP: ${what}`, 'replace or delete the file');
}
