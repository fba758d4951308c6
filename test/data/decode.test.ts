import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import {
  decodeImage,
  LARGEST_INTERLACED_PIXELS,
  probeImage,
} from '../../src/data/decode/decode.js';
import { crc32 } from 'node:zlib';
import { PixelBudget } from '../../src/data/decode/pixel_budget.js';
import { resizeImage } from '../../src/data/decode/resample.js';
import { errorOf, temporaryFolder } from './helpers.js';

/** Smooth colours with fine noise, so that every way to resize gives other pixels. */
function picture(height: number, width: number): Uint8Array {
  return Uint8Array.from({ length: height * width * 3 }, (_, i) => {
    const [y, x, c] = [Math.floor(i / 3 / width), Math.floor(i / 3) % width, i % 3];
    return 128 + 90 * Math.sin(x / (7 + c) + y / 31) + ((i * 7919) % 37);
  });
}

describe('one picture in several formats', () => {
  const sizes: [number, number][] = [
    ...(
      [
        [64, 64],
        [15, 20],
        [120, 160],
        [300, 400],
        [200, 40],
      ] as const
    ).map(([height, width]): [number, number] => [height, width]),
  ];
  it.each(sizes)('at %i×%i is the same picture in all of them', async (...size) => {
    const folder = temporaryFolder();
    const [height, width] = [120, 160];
    const jpeg = join(folder, 'a.jpg');
    await sharp(picture(height, width), { raw: { width, height, channels: 3 } }).toFile(jpeg);
    const wanted = await decodeImage(jpeg, size, 3);
    const pixels = await sharp(jpeg).raw().toBuffer();
    const files = ['png', 'ppm', 'webp', 'tiff'].map((kind) => join(folder, `a.${kind}`));
    const raw = { width, height, channels: 3 } as const;
    await sharp(pixels, { raw }).png().toFile(files[0]);
    writeFileSync(files[1], Buffer.concat([Buffer.from(`P6 ${width} ${height} 255\n`), pixels]));
    await sharp(pixels, { raw }).webp({ lossless: true }).toFile(files[2]);
    await sharp(pixels, { raw }).tiff({ compression: 'none' }).toFile(files[3]);
    for (const file of files) {
      const came = await decodeImage(file, size, 3);
      const most = came.reduce(
        (worst, value, i) => Math.max(worst, Math.abs(value - wanted[i])),
        0,
      );
      expect([file, came.length, most]).toEqual([file, wanted.length, 0]);
    }
  });
});

describe('resizing', () => {
  const grey = (values: number[]): Parameters<typeof resizeImage>[0] => ({
    pixels: Uint8Array.from(values),
    height: 1,
    width: values.length,
    channels: 1,
  });

  it('enlarges linearly between the centres of pixels', () => {
    const row = resizeImage(grey([0, 100, 200, 100, 0, 0, 50, 50]), 1, 16);
    expect([...row.pixels]).toEqual([
      ...[0, 25, 75, 125, 175, 175, 125, 75, 25, 0, 0, 13, 38, 50, 50, 50],
    ]);
  });

  it('reduces by a triangle over every pixel, rows and columns alike', () => {
    // Weights 1 3 3 1 of 8 between edges; at an edge 3 3 1 of 7.
    const values = [80, 0, 0, 160, 240, 0];
    const wanted = [34, 50, 103].map((_, i) =>
      Math.round([(3 * 80 + 0 + 0) / 7, (0 + 0 + 3 * 160 + 240) / 8, (160 + 3 * 240 + 0) / 7][i]),
    );
    expect([...resizeImage(grey(values), 1, 3).pixels]).toEqual(wanted);
    const column = { ...grey(values), height: 6, width: 1 };
    expect([...resizeImage(column, 3, 1).pixels]).toEqual(wanted);
  });

  it('keeps one colour, whatever the sizes', () => {
    for (const [from, to] of [
      [1, 7],
      [9, 4],
      [31, 32],
      [100, 3],
    ]) {
      const pixels = new Uint8Array(from * from * 3).fill(255);
      const image = resizeImage({ pixels, height: from, width: from, channels: 3 }, to, to);
      expect(image.pixels).toEqual(new Uint8Array(to * to * 3).fill(255));
    }
  });
});

/** A TIFF of one pixel in four inks: cyan, magenta, yellow, black. */
function inkTiff(inks: readonly number[]): Buffer {
  const entries = [
    [256, 3, 1, 1], // width
    [257, 3, 1, 1], // height
    [258, 3, 4, 8 + 2 + 9 * 12 + 4], // bits of a sample
    [259, 3, 1, 1], // not compressed
    [262, 3, 1, 5], // inks
    [273, 4, 1, 8 + 2 + 9 * 12 + 4 + 8], // where the pixels are
    [277, 3, 1, 4], // samples of a pixel
    [278, 3, 1, 1], // rows of a strip
    [279, 4, 1, 4], // bytes of it
  ];
  const bytes = Buffer.alloc(8 + 2 + 9 * 12 + 4 + 8 + 4);
  bytes.write('II*\0', 'latin1');
  bytes.writeUInt32LE(8, 4);
  bytes.writeUInt16LE(entries.length, 8);
  for (const [i, [tag, type, count, value]] of entries.entries()) {
    const at = 10 + 12 * i;
    bytes.writeUInt16LE(tag, at);
    bytes.writeUInt16LE(type, at + 2);
    bytes.writeUInt32LE(count, at + 4);
    bytes.writeUInt32LE(value, at + 8);
  }
  for (let i = 0; i < 4; i++) bytes.writeUInt16LE(8, 8 + 2 + 9 * 12 + 4 + 2 * i);
  bytes.set(inks, bytes.length - 4);
  return bytes;
}

describe('what a file holds', () => {
  it('inks become light without a printer’s profile', async () => {
    const file = join(temporaryFolder(), 'a.jpg');
    writeFileSync(file, inkTiff([235, 75, 195, 0]));
    expect([...(await decodeImage(file, [1, 1], 3))]).toEqual([20, 180, 60]);
    writeFileSync(file, inkTiff([0, 51, 255, 127]));
    expect([...(await decodeImage(file, [1, 1], 3))]).toEqual([128, 102, 0]);
  });

  it.each([
    ['<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"/>', 'SVG or other XML'],
    ['<?xml version="1.0"?><svg/>', 'SVG or other XML'],
    ['<!DOCTYPE html><p>404', 'an HTML page'],
    ['%PDF-1.7', 'PDF'],
    ['BM6\0\0\0', 'BMP: the header is not whole'],
    ['', 'the file is empty'],
  ])('%j is no image, whatever its name', async (text, what) => {
    const file = join(temporaryFolder(), 'x.png');
    writeFileSync(file, text);
    for (const error of [errorOf(decodeImage(file, [4, 4], 3)), errorOf(probeImage(file))]) {
      expect((await error).message).toMatch(
        new RegExp(`x.png: broken (image: )?.*${what}\\nfix: `),
      );
    }
  });

  it('an interlaced giant is refused by its header', async () => {
    const file = join(temporaryFolder(), 'x.png');
    const whole = await sharp({ create: { width: 3, height: 3, channels: 3, background: '#888' } })
      .png({ progressive: true })
      .toBuffer();
    whole.writeUInt32BE(10_000, 16);
    whole.writeUInt32BE(10_000, 20);
    // The sum of the header chunk, over its type and its 13 bytes.
    whole.writeUInt32BE(crc32(whole.subarray(12, 29)), 29);
    writeFileSync(file, whole);
    expect((await errorOf(decodeImage(file, [4, 4], 3))).message).toBe(
      `${file}: image too large: 10000×10000 pixels (height × width), interlaced ones are at most ` +
        `${LARGEST_INTERLACED_PIXELS} pixels from 536870912 bytes\nfix: scale it down or delete the file`,
    );
  });
});

it('a pixel budget is never exceeded, and one image that exceeds it runs alone', async () => {
  const budget = new PixelBudget(10);
  let [now, most, done] = [0, 0, 0];
  const sizes = [4, 5, 3, 10, 25, 1, 9, 2];
  await Promise.all(
    sizes.map((size) =>
      budget.run(size, async () => {
        now += Math.min(size, 10);
        most = Math.max(most, now);
        await new Promise((resolve) => setTimeout(resolve, 1));
        now -= Math.min(size, 10);
        done++;
        if (size === 3) throw new Error('a broken one');
      }),
    ),
  ).catch(() => {});
  await budget.run(10, async () => {});
  expect([most, done]).toEqual([10, sizes.length]);
});
