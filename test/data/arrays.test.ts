import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkDataset } from '../../src/data/check.js';
import { openDataset } from '../../src/data/open/open.js';
import { DataError } from '../../src/errors.js';
import { formatNpy, formatNpz, type NpyValues } from '../../src/io/npy.js';
import { writeZip } from '../../src/io/zip.js';
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

/** A .npy file of any element type. */
function npyOf(descr: string, shape: string, elements: ArrayLike<number>): Buffer {
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${shape}, }`.padEnd(117);
  const head = [0x93, ...Buffer.from('NUMPY'), 1, 0, 118, 0, ...Buffer.from(`${text}\n`)];
  return Buffer.from([...head, ...Array.from(elements)]);
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

  it('take x_val or x_valid as the validation part, and name arrays that they do not read', async () => {
    const image = (mark: number): Saved => ({ shape: [1, 1, 1], values: Uint8Array.of(mark) });
    const label = { shape: [1], values: Uint8Array.of(0) };
    for (const [images, labels] of [
      ['x_val', 'y_val'],
      ['x_valid', 'y_valid'],
      ['val_images', 'val_labels'],
      ['X_val', 'Y_val'],
    ]) {
      const folder = folderOf({
        ...{ x_train: image(1), y_train: label, x_test: image(3), y_test: label },
        ...{ [images]: image(2), [labels]: label, weights: image(9) },
      });
      const { train, validation, test, notes } = await openDataset(folder);
      const marks = [train, validation!, test!].map(async (part) => [...(await part.read([0]))]);
      expect(await Promise.all(marks)).toEqual([[1], [2], [3]]);
      expect(notes[0]).toBe(`${folder}: arrays that are not read: weights`);
    }
  });

  it('take a class from class_names, and leave other members alone, whatever they hold', async () => {
    const archive = (members: Record<string, Uint8Array>): string => {
      const file = join(temporaryFolder(), 'data.npz');
      const saved = { x_train: formatNpy(PIXELS), y_train: formatNpy(LABELS), ...members };
      const files = Object.entries(saved).map(([name, bytes]) => [`${name}.npy`, bytes] as const);
      writeFileSync(file, writeZip(new Map(files)));
      return file;
    };
    const text = ['cat', 'dog', 'é'].map((name) => name.padEnd(3, '\0'));
    const points = [...text.join('')].flatMap((letter) => [letter.codePointAt(0)!, 0, 0, 0]);
    const bytes = Buffer.from(['cat', 'dog', 'é\0'].join(''));
    for (const class_names of [
      npyOf('<U3', '(3,)', points),
      npyOf(
        '>U3',
        '(3,)',
        points.map((_, i) => points[i - (i % 4) + 3 - (i % 4)]),
      ),
      npyOf('|S3', '(3,)', bytes),
    ]) {
      const { train, notes } = await openDataset(archive({ class_names }));
      expect([train.classNames, notes]).toEqual([['cat', 'dog', 'é'], []]);
    }
    const few = archive({ class_names: npyOf('|S3', '(2,)', Buffer.from('catdog')) });
    const named = await openDataset(few);
    expect(named.train.classNames).toEqual(['0', '1', '2']);
    expect(named.notes).toEqual([
      `${few}:class_names: not used: expected a name of its own for each of 3 classes, got cat, dog`,
    ]);
    const others = archive({
      class_names: npyOf('|O', '(3,)', [0x80, 4]),
      c: npyOf('<c8', '(1,)', new Array<number>(8).fill(0)),
      h: npyOf('<f2', '(1,)', [0, 0]),
      s: npyOf('<U1', '(1,)', [65, 0, 0, 0]),
      broken: Buffer.from('nothing'),
    });
    const { train, notes } = await openDataset(others);
    expect([train.size, train.classNames]).toEqual([3, ['0', '1', '2']]);
    expect(notes).toEqual([`${others}: arrays that are not read: class_names, c, h, s, broken`]);
    expect((await checkDataset(others)).isFine).toBe(true);
    const needed = archive({ x_train: npyOf('<f2', '(3, 1, 1)', new Array<number>(6).fill(0)) });
    expect((await errorOf(openDataset(needed))).message).toContain(
      "elements of type '<f2' are not read, expected uint8,",
    );
  });

  it('take booleans as black and white', async () => {
    const folder = folderOf({ Y: { shape: [2], values: Uint8Array.of(0, 1) } });
    writeFileSync(join(folder, 'X.npy'), npyOf('|b1', '(2, 1, 2)', [0, 1, 1, 0]));
    const { train } = await openDataset(folder);
    expect([...(await train.read([0, 1]))]).toEqual([0, 255, 255, 0]);
  });

  it('scale floats of all parts alike', async () => {
    const floats = (...values: number[]): Saved => ({
      shape: [1, 1, values.length],
      values: Float32Array.from(values),
    });
    const label = { shape: [1], values: Uint8Array.of(0) };
    const arrays = { x_train: floats(0, 255), y_train: label, x_test: floats(0, 1), y_test: label };
    const bytes = await openDataset(folderOf(arrays));
    expect([...(await bytes.test!.read([0]))]).toEqual([0, 1]);
    const unit = await openDataset(folderOf({ ...arrays, x_train: floats(0, 0.2) }));
    expect([...(await unit.train.read([0]))]).toEqual([0, 51]);
    expect([...(await unit.test!.read([0]))]).toEqual([0, 255]);
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
