import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bitmapSize, parseBitmap } from '../../src/data/decode/bmp.js';
import { decodeImage } from '../../src/data/decode/decode.js';
import { errorOf, temporaryFolder } from './helpers.js';

type Color = readonly [red: number, green: number, blue: number];

const WIDTH = 3;
const colors: Color[] = [
  [255, 0, 0],
  [0, 255, 0],
  [0, 0, 255],
  [255, 255, 255],
  [0, 0, 0],
  [255, 255, 0],
];

interface Parts {
  bits: number;
  /** Rows of bytes from the top down, before padding. */
  rows: number[][];
  palette?: readonly Color[];
  masks?: readonly number[];
  isTopDown?: boolean;
  compression?: number;
}

/** A bitmap of three columns by the letter of the specification. */
function bitmap({ bits, rows, palette = [], masks = [], isTopDown, compression }: Parts): Buffer {
  const rowBytes = Math.ceil((WIDTH * bits) / 32) * 4;
  const start = 54 + 4 * (palette.length + masks.length);
  const bytes = Buffer.alloc(start + rowBytes * rows.length);
  bytes.write('BM', 'latin1');
  bytes.writeUInt32LE(start, 10);
  bytes.writeUInt32LE(40, 14);
  bytes.writeInt32LE(WIDTH, 18);
  bytes.writeInt32LE(isTopDown ? -rows.length : rows.length, 22);
  bytes.writeUInt16LE(1, 26);
  bytes.writeUInt16LE(bits, 28);
  bytes.writeUInt32LE(compression ?? (masks.length > 0 ? 3 : 0), 30);
  bytes.writeUInt32LE(palette.length, 46);
  masks.forEach((mask, i) => bytes.writeUInt32LE(mask, 54 + 4 * i));
  palette.forEach(([r, g, b], i) => bytes.set([b, g, r, 0], 54 + 4 * i));
  const stored = isTopDown ? rows : [...rows].reverse();
  stored.forEach((row, y) => bytes.set(row, start + y * rowBytes));
  return bytes;
}

const bgr = ([r, g, b]: Color): number[] => [b, g, r];
const bgrx = ([r, g, b]: Color): number[] => [b, g, r, 9];
const inRows = (values: (color: Color) => number[]): number[][] => [
  colors.slice(0, 3).flatMap(values),
  colors.slice(3).flatMap(values),
];
const word = (value: number): number[] => [value & 255, value >> 8];

describe('BMP', () => {
  it.each<[string, Parts]>([
    ['24 bits', { bits: 24, rows: inRows(bgr) }],
    ['24 bits, top row first', { bits: 24, rows: inRows(bgr), isTopDown: true }],
    ['32 bits', { bits: 32, rows: inRows(bgrx) }],
    [
      '32 bits with masks, red in the highest byte',
      {
        bits: 32,
        rows: inRows(([r, g, b]) => [7, b, g, r]),
        masks: [0xff000000, 0xff0000, 0xff00],
      },
    ],
    [
      '16 bits, 5 a color',
      {
        bits: 16,
        rows: inRows(([r, g, b]) => word(((r >> 3) << 10) | ((g >> 3) << 5) | (b >> 3))),
      },
    ],
    [
      '16 bits with masks 5, 6, 5',
      {
        bits: 16,
        rows: inRows(([r, g, b]) => word(((r >> 3) << 11) | ((g >> 2) << 5) | (b >> 3))),
        masks: [0xf800, 0x7e0, 0x1f],
      },
    ],
    [
      '8 bits',
      {
        bits: 8,
        rows: [
          [0, 1, 2],
          [3, 4, 5],
        ],
        palette: colors,
      },
    ],
    [
      '4 bits',
      {
        bits: 4,
        rows: [
          [0x01, 0x20],
          [0x34, 0x50],
        ],
        palette: colors,
      },
    ],
  ])('%s', (_, parts) => {
    const bytes = bitmap(parts);
    const image = parseBitmap(bytes, 'x.bmp');
    expect([...image.pixels]).toEqual(colors.flat());
    expect(image).toMatchObject({ height: 2, width: 3, channels: 3 });
    expect(bitmapSize(bytes, 'x.bmp')).toMatchObject({ height: 2, width: 3 });
  });

  it('1 bit a pixel, the highest bit on the left', () => {
    const bytes = bitmap({ bits: 1, rows: [[0b10100000]], palette: [colors[4], colors[3]] });
    expect([...parseBitmap(bytes, 'x.bmp').pixels]).toEqual(
      [colors[3], colors[4], colors[3]].flat(),
    );
  });

  it('comes through the reader of all images, whatever its name', async () => {
    const file = join(temporaryFolder(), 'x.jpg');
    writeFileSync(file, bitmap({ bits: 24, rows: inRows(bgr) }));
    expect([...(await decodeImage(file, [2, 3], 3))]).toEqual(colors.flat());
  });

  const whole = bitmap({ bits: 24, rows: inRows(bgr) });
  const changed = (offset: number, value: number): Buffer => {
    const bytes = Buffer.from(whole);
    bytes.writeInt32LE(value, offset);
    return bytes;
  };
  const [oneColor] = colors;
  it.each<[string, Buffer, string]>([
    ['a header cut off', whole.subarray(0, 40), 'x: broken BMP: the header is not whole'],
    [
      'pixels cut off',
      whole.subarray(0, whole.length - 1),
      'x: broken BMP: truncated: expected 24 bytes of pixels, got 23',
    ],
    [
      'pixels past the end',
      changed(10, 2 ** 31 - 1),
      'x: broken BMP: truncated: expected 24 bytes of pixels, got -2147483569',
    ],
    ['no width', changed(18, 0), 'x: broken BMP: its size is 0 × 2'],
    [
      'the header of OS/2',
      changed(14, 12),
      'x: broken BMP: a header of 12 bytes, expected 40 to 124',
    ],
    [
      'run lengths',
      bitmap({ bits: 8, rows: [[0, 0, 0]], palette: colors, compression: 1 }),
      'x: a BMP of 8 bits a pixel with compression 1 is not read',
    ],
    [
      'a color beyond the palette',
      bitmap({ bits: 8, rows: [[0, 1, 0]], palette: [oneColor] }),
      'x: broken BMP: a pixel has color 1 of a palette of 1',
    ],
  ])('refuses %s', async (_, bytes, message) => {
    const error = await errorOf(() => parseBitmap(bytes, 'x'));
    expect(error.message.split('\n')[0]).toBe(message);
  });
});
