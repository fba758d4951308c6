import sharp, { type OutputInfo } from 'sharp';
import { describe, expect, it } from 'vitest';
import { augmentGrid } from '../../src/data/augment_preview.js';
import { MemoryDataset } from '../../src/data/dataset.js';
import { createDevice } from '../../src/index.js';
import { errorOf } from './helpers.js';

/** Two pixels side by side, red and blue, for each example; they become 84 × 42 pixels. */
function pairs(count: number): MemoryDataset {
  return new MemoryDataset({
    name: 'pairs',
    imageShape: [1, 2, 3],
    classNames: ['pair'],
    labels: new Int32Array(count),
    images: Uint8Array.from({ length: 6 * count }, (_, i) =>
      i % 6 === 0 || i % 6 === 5 ? 255 : 0,
    ),
  });
}

interface Picture {
  info: OutputInfo;
  /** Whether a place is red. */
  isRed: (x: number, y: number) => boolean;
  isWhite: (x: number, y: number) => boolean;
}

async function pixelsOf(png: Buffer): Promise<Picture> {
  const { data, info } = await sharp(png).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  const at = (x: number, y: number): string =>
    [...data.subarray((y * info.width + x) * 3, (y * info.width + x) * 3 + 3)].join();
  return {
    info,
    isRed: (x, y) => at(x, y) === '255,0,0',
    isWhite: (x, y) => at(x, y) === '255,255,255',
  };
}

async function grid(
  dataset: MemoryDataset,
  options: Parameters<typeof augmentGrid>[2],
  deviceSeed = 1,
): Promise<Buffer> {
  using device = await createDevice({ seed: deviceSeed });
  return await augmentGrid(device, dataset, options);
}

describe('augmentGrid', () => {
  it('shows each picture before, and below it after', async () => {
    const png = await grid(pairs(1), { settings: { flip: 1 }, versions: 2 });
    const { info, isRed } = await pixelsOf(png);
    // From the right: margin 20, picture 84. Cells are 42 + 15 + 12 high, below margin and title.
    const [left, top] = [info.width - 20 - 84, 20 + 13 + 12 + 4];
    const reds = [0, 1, 2].map((row) =>
      [left + 20, left + 60].map((x) => isRed(x, top + row * 69 + 20)),
    );
    expect(reds).toEqual([
      [true, false],
      [false, true],
      [false, true],
    ]);
    expect(info.height).toBe(top + 3 * 69 + 20 - 12 + 2);
  });

  it('is the same picture for one seed of the device, and another for another', async () => {
    const options = { settings: { flip: 0.5 }, versions: 4 };
    const png = await grid(pairs(8), options);
    expect(await grid(pairs(8), options)).toEqual(png);
    expect(await grid(pairs(8), options, 2)).not.toEqual(png);
  });

  it('puts many examples into blocks of rows, the last place empty', async () => {
    const png = await grid(pairs(11), { settings: {}, count: 11, versions: 1 });
    const { info, isRed, isWhite } = await pixelsOf(png);
    // Two blocks of six columns, two rows each.
    const [left, top] = [info.width - 20 - 6 * 96 + 12, 20 + 13 + 12 + 4];
    expect(info.height).toBe(top + 4 * 69 + 20 - 12 + 2);
    expect(isRed(left + 20, top + 3 * 69 + 20)).toBe(true);
    expect(isRed(left + 5 * 96 + 20, top + 69 + 20)).toBe(true);
    expect(isWhite(left + 5 * 96 + 20, top + 3 * 69 + 20)).toBe(true);
  });

  it('resizes to the input of training, and refuses channels it cannot show', async () => {
    const { info } = await pixelsOf(
      await grid(pairs(1), { settings: {}, versions: 1, input: [84, 84, 1] }),
    );
    expect(info.height).toBe(49 + 2 * (84 + 15 + 12) + 20 - 12 + 2);
    const refused = grid(pairs(1), { settings: {}, input: [8, 8, 4] });
    expect((await errorOf(refused)).message).toBe(
      'data preview: --input must have 1 or 3 channels, got 4',
    );
  });
});
