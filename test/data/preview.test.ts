import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { drawDigits } from '../../src/data/builtin/digits.js';
import { pictureGrid, previewGrid } from '../../src/data/preview.js';
import { countingDataset, errorOf } from './helpers.js';

describe('pictureGrid', () => {
  const imageShape = [1, 2, 3] as const;
  const pixels = Uint8Array.from([255, 0, 0, 0, 0, 255]);

  it('shows each pixel enlarged, with text below', async () => {
    const png = await pictureGrid([{ pixels, captions: ['WW', 'second line'], tone: 'wrong' }], {
      imageShape,
      scale: 40,
      columns: 1,
    });
    const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true });
    expect(info.format).toBe('raw');
    const at = (x: number, y: number): number[] => {
      const start = (y * info.width + x) * info.channels;
      return [...data.subarray(start, start + 3)];
    };
    // Margin 20, picture 80 × 40.
    expect(info.width).toBe(120);
    expect([at(21, 21), at(59, 58)]).toEqual([
      [255, 0, 0],
      [255, 0, 0],
    ]);
    expect([at(61, 21), at(98, 58)]).toEqual([
      [0, 0, 255],
      [0, 0, 255],
    ]);
    expect(at(5, 5)).toEqual([255, 255, 255]);
    // The caption is red: somewhere below the picture red outweighs blue by far.
    let redder = 0;
    for (let y = 64; y < 74; y++) {
      for (let x = 20; x < 100; x++) if (at(x, y)[0] - at(x, y)[2] > 100) redder++;
    }
    expect(redder).toBeGreaterThan(10);
  });

  it('refuses no pictures, columns and scales that are no such', async () => {
    const one = [{ pixels, captions: [] }];
    expect((await errorOf(pictureGrid([], { imageShape }))).message).toBe(
      'preview: no pictures to show',
    );
    expect((await errorOf(pictureGrid(one, { imageShape, columns: 0 }))).message).toBe(
      'preview: columns must be a whole number ≥ 1, got 0',
    );
    expect((await errorOf(pictureGrid(one, { imageShape, scale: 5000 }))).message).toBe(
      'preview: scale must be more than 0 and give pictures of at most 2048 pixels, got 5000',
    );
  });
});

describe('previewGrid', () => {
  it('is the same picture for one seed, and another for another', async () => {
    const digits = await drawDigits('train', 100, 1);
    const options = { count: 20, columns: 10, scale: 2, seed: 1 };
    const png = await previewGrid(digits, options);
    const info = await sharp(png).metadata();
    expect([info.format, info.width]).toEqual(['png', 2 * 20 - 12 + 10 * 84]);
    expect(await previewGrid(digits, options)).toEqual(png);
    expect(await previewGrid(digits, { ...options, seed: 2 })).not.toEqual(png);
  });

  it('takes a data set smaller than the grid', async () => {
    const png = await previewGrid(countingDataset(3), { count: 40 });
    expect((await sharp(png).metadata()).format).toBe('png');
  });
});
