import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkDataset } from '../../src/data/check.js';
import { openDataset } from '../../src/data/open.js';
import { DataError } from '../../src/gpu/errors.js';
import { formatNpy, formatNpz, type NpyValues } from '../../src/io/npy.js';
import { errorOf, temporaryFolder } from './helpers.js';

interface Saved {
  shape: number[];
  values: NpyValues;
}

function folderOf(arrays: Record<string, Saved>): string {
  const folder = temporaryFolder();
  for (const [name, array] of Object.entries(arrays)) {
    writeFileSync(join(folder, `${name}.npy`), formatNpy(array));
  }
  return folder;
}

const PIXELS: Saved = { shape: [3, 1, 2], values: Uint8Array.of(0, 51, 102, 153, 204, 255) };
const LABELS: Saved = { shape: [3], values: BigInt64Array.of(2n, 0n, 1n) };

describe('images in NumPy arrays', () => {
  it('open from X.npy and Y.npy', async () => {
    const folder = folderOf({ X: PIXELS, Y: LABELS });
    const { train, test } = await openDataset(folder);
    expect([train.size, train.imageShape, train.classNames]).toEqual([
      3,
      [1, 2, 1],
      ['0', '1', '2'],
    ]);
    expect([...train.labels]).toEqual([2, 0, 1]);
    expect([...(await train.read([1]))]).toEqual([102, 153]);
    expect(test).toBeUndefined();
    expect((await openDataset(folder, { classCount: 5 })).train.classNames).toHaveLength(5);
    const report = await checkDataset(folder);
    expect([report.isFine, report.parts[0].count]).toEqual([true, 3]);
  });

  it('open from x_train.npy and so on, and from one .npz', async () => {
    const colour = { shape: [2, 1, 1, 3], values: Uint8Array.of(1, 2, 3, 4, 5, 6) };
    const arrays = {
      x_train: colour,
      y_train: { shape: [2, 1], values: Int32Array.of(0, 1) },
      x_test: { shape: [1, 1, 1, 3], values: Uint8Array.of(7, 8, 9) },
      // One-hot among four classes.
      y_test: { shape: [1, 4], values: Float32Array.of(0, 0, 0, 1) },
    };
    const folder = folderOf(arrays);
    const archive = join(temporaryFolder(), 'data.npz');
    writeFileSync(archive, formatNpz(new Map(Object.entries(arrays))));
    for (const spec of [folder, archive]) {
      const { train, test } = await openDataset(spec);
      expect([train.imageShape, [...train.labels], [...test!.labels]]).toEqual([
        [1, 1, 3],
        [0, 1],
        [3],
      ]);
      expect([train.classNames.length, test!.classNames.length]).toEqual([4, 4]);
      expect([...(await test!.read([0]))]).toEqual([7, 8, 9]);
    }
  });

  it('scale floats up to 1, and round larger ones', async () => {
    const floats = (values: number[]): Saved => ({
      shape: [2, 1, 2],
      values: Float32Array.from(values),
    });
    const labels = { shape: [2], values: Uint8Array.of(0, 1) };
    const unit = await openDataset(folderOf({ X: floats([0, 0.2, 0.6, 1]), Y: labels }));
    expect([...(await unit.train.read([0, 1]))]).toEqual([0, 51, 153, 255]);
    const bytes = await openDataset(folderOf({ X: floats([0, 1, 1.6, 255]), Y: labels }));
    expect([...(await bytes.train.read([0, 1]))]).toEqual([0, 1, 2, 255]);
    // Integers are never scaled.
    const dark = { shape: [2, 1, 2], values: Int32Array.of(0, 1, 1, 0) };
    const { train } = await openDataset(folderOf({ X: dark, Y: labels }));
    expect([...(await train.read([0, 1]))]).toEqual([0, 1, 1, 0]);
  });

  it.each<[Record<string, Saved>, string]>([
    [{ X: PIXELS }, "images 'x', but no labels 'y' (there are x)"],
    [{ A: PIXELS }, 'expected arrays named X and Y, or x_train and y_train, got a'],
    [
      { X: PIXELS, Y: { shape: [2], values: Uint8Array.of(0, 1) } },
      'X.npy: 3 images, but 2 labels in',
    ],
    [
      { X: { shape: [3, 2], values: new Uint8Array(6) }, Y: LABELS },
      'expected images [N, H, W] or [N, H, W, C] with 1 or 3 channels, got [3, 2]',
    ],
    [
      { X: { shape: [3, 3, 2, 5], values: new Uint8Array(90) }, Y: LABELS },
      'got [3, 3, 2, 5]\nfix: put the channels last: np.transpose(x, (0, 2, 3, 1))',
    ],
    [
      { X: { shape: [1, 1, 2], values: Float32Array.of(-1, 1) }, Y: LABELS },
      'X.npy: 1 images, but 3 labels',
    ],
    [
      { X: { shape: [3, 1, 1], values: Float32Array.of(-1, 1, 0) }, Y: LABELS },
      'expected pixels from 0 to 1 (floats) or 0 to 255, got -1 to 1',
    ],
    [
      { X: { shape: [3, 1, 1], values: Float32Array.of(0, NaN, 0) }, Y: LABELS },
      'expected pixels from 0 to 1 (floats) or 0 to 255, got',
    ],
    [
      { X: PIXELS, Y: { shape: [3], values: Float32Array.of(0, 1.5, 1) } },
      'Y.npy: label 1 must be a whole number ≥ 0, got 1.5',
    ],
    [
      { X: PIXELS, Y: { shape: [3, 2], values: Uint8Array.of(1, 0, 1, 1, 0, 1) } },
      'Y.npy: label 1 must be one-hot: one 1 among 1 zeros, got 1, 1',
    ],
    [
      { X: PIXELS, Y: { shape: [3, 1, 1], values: Uint8Array.of(1, 0, 1) } },
      'expected labels [N], [N, 1] or one-hot [N, K], got [3, 1, 1]',
    ],
  ])('refuse %#', async (arrays, message) => {
    const error = await errorOf(openDataset(folderOf(arrays)));
    expect(error).toBeInstanceOf(DataError);
    expect(error.message).toContain(message);
  });

  it('refuse a label beyond the number of classes asked for', async () => {
    const folder = folderOf({ X: PIXELS, Y: LABELS });
    expect((await errorOf(openDataset(folder, { classCount: 2 }))).message).toContain(
      'label 2 of example 0 is outside 0..1 (2 classes)',
    );
  });
});
