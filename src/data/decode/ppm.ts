/**
 * The binary portable pixmap (P6, colour) and graymap (P5): a header of words, then the samples.
 * GTSRB is published in it, and the prebuilt sharp does not read it.
 *
 * Source: Poskanzer, "ppm format specification" and "pgm format specification" of Netpbm.
 */
import { DataError } from '../../errors.js';

/** An image in memory: rows of pixels, channels together. */
export interface RawImage {
  pixels: Uint8Array;
  height: number;
  width: number;
  channels: 1 | 3;
}

/**
 * Takes a P5 or P6 file apart; samples of any depth are scaled to 0..255.
 *
 * @throws DataError for another kind of map, a broken header, or missing samples
 */
export function parsePortableMap(bytes: Uint8Array, file: string): RawImage {
  const header = readHeader(bytes, file);
  const { kind } = header;
  const channels = kind === 'P6' ? 3 : 1;
  const { width, height, largest } = header;
  const sampleBytes = largest > 255 ? 2 : 1;
  const count = width * height * channels;
  const actual = bytes.length - header.end;
  if (actual < count * sampleBytes) {
    throw new DataError(
      `${file}: truncated: expected ${count * sampleBytes} bytes of samples` +
        ` (${width} × ${height}, ${kind}), got ${actual}`,
      'replace or delete the file',
    );
  }
  const samples = bytes.subarray(header.end, header.end + count * sampleBytes);
  return { pixels: scaleSamples(samples, largest), height, width, channels };
}

/** Height and width from the header alone. Errors: as `parsePortableMap`, but for the samples. */
export function portableMapSize(
  bytes: Uint8Array,
  file: string,
): { height: number; width: number } {
  return readHeader(bytes, file);
}

interface Header {
  kind: 'P5' | 'P6';
  width: number;
  height: number;
  /** The sample that stands for full brightness. */
  largest: number;
  /** Where the samples begin. */
  end: number;
}

function readHeader(bytes: Uint8Array, file: string): Header {
  const kind = String.fromCharCode(bytes[0], bytes[1]);
  if (kind !== 'P5' && kind !== 'P6') {
    throw new DataError(
      `${file}: expected a binary PPM or PGM (P6 or P5), got ${kind}`,
      'convert it, for example to PNG',
    );
  }
  let at = 2;
  const isSpace = (byte: number): boolean => byte === 32 || (byte >= 9 && byte <= 13);
  const nextNumber = (name: string, most: number): number => {
    while (isSpace(bytes[at]) || bytes[at] === 35) {
      // '#' begins a comment that runs to the end of its line.
      if (bytes[at] === 35) while (at < bytes.length && bytes[at] !== 10) at++;
      else at++;
    }
    let text = '';
    for (; bytes[at] >= 48 && bytes[at] <= 57 && text.length < 9; at++) text += bytes[at] - 48;
    const value = Number(text);
    if (text === '' || value < 1 || value > most) {
      throw new DataError(
        `${file}: broken PPM header: ${name} must be a whole number from 1 to ${most}`,
        'replace or delete the file',
      );
    }
    return value;
  };
  const width = nextNumber('the width', 65535);
  const height = nextNumber('the height', 65535);
  const largest = nextNumber('the largest sample', 65535);
  // Exactly one white-space byte separates the header from the samples.
  return { kind, width, height, largest, end: at + 1 };
}

function scaleSamples(samples: Uint8Array, largest: number): Uint8Array {
  if (largest === 255) return samples;
  const scale = 255 / largest;
  if (largest < 255) return samples.map((sample) => Math.min(255, Math.round(sample * scale)));
  return Uint8Array.from({ length: samples.length / 2 }, (_, index) =>
    Math.min(255, Math.round((samples[2 * index] * 256 + samples[2 * index + 1]) * scale)),
  );
}
