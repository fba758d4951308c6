import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { parseIdx, readIdx } from '../../src/data/formats/idx.js';
import { openMnist } from '../../src/data/formats/mnist.js';
import { openDataset } from '../../src/data/open/open.js';
import { DataError } from '../../src/errors.js';
import { errorOf, idxBytes, temporaryFolder } from './helpers.js';

const pixels = (count: number): number[] => Array.from({ length: count }, (_, i) => (i * 7) % 256);

describe('parseIdx', () => {
  it('reads shape and values', () => {
    const idx = parseIdx(idxBytes([2, 3, 4], pixels(24)), 'images', 3);
    expect(idx.shape).toEqual([2, 3, 4]);
    expect([...idx.values]).toEqual(pixels(24));
  });

  it('says how many bytes a truncated file lacks', () => {
    const bytes = idxBytes([2, 3, 4], pixels(20));
    expect(() => parseIdx(bytes, 'images', 3)).toThrow(
      'images: truncated: expected 24 bytes of values (2 × 3 × 4), got 20\n' +
        'fix: download the file again',
    );
    expect(() => parseIdx(bytes.subarray(0, 9), 'images', 3)).toThrow(
      'images: truncated: the idx header has 16 bytes, the file 9',
    );
    expect(() => parseIdx(new Uint8Array(0), 'images', 3)).toThrow('the file 0');
    expect(() => parseIdx(idxBytes([2, 3, 4], pixels(25)), 'images', 3)).toThrow(
      'images: too long: expected 24 bytes of values (2 × 3 × 4), got 25',
    );
  });

  it('refuses a foreign file, and images in the place of labels', () => {
    expect(() => parseIdx(Buffer.from('PK\x03\x04 and so on'), 'images', 3)).toThrow(
      'images: not an idx file of 3-dimensional unsigned bytes: it begins with 50 4b 03 04,' +
        ' expected 00 00 08 03\nfix: put the file as published (…-images-idx3-ubyte, or .gz) here',
    );
    expect(() => parseIdx(idxBytes([2], [1, 2]), 'images', 3)).toThrow(
      'fix: this is a file of labels; put the images file (…-images-idx3-ubyte) here',
    );
    expect(() => parseIdx(idxBytes([1, 1, 1], [1]), 'labels', 1)).toThrow(
      'fix: this is a file of images; put the labels file (…-labels-idx1-ubyte) here',
    );
    expect(() => parseIdx(Buffer.from([0, 0, 13, 1, 0, 0]), 'labels', 1)).toThrow(
      'fix: put the file as published (…-labels-idx1-ubyte, or .gz) here',
    );
  });
});

describe('readIdx', () => {
  it('reads plain and gz alike, by content and not by name', async () => {
    const folder = temporaryFolder();
    const bytes = idxBytes([2, 3, 4], pixels(24));
    writeFileSync(join(folder, 'plain.gz'), bytes);
    writeFileSync(join(folder, 'packed'), gzipSync(bytes));
    for (const name of ['plain.gz', 'packed']) {
      expect([...(await readIdx(join(folder, name), 3)).values]).toEqual(pixels(24));
    }
  });

  it('says how far a gz file goes that breaks off', async () => {
    const file = join(temporaryFolder(), 'images.gz');
    // Level 0 keeps the bytes as they are, so that cutting the archive cuts a known number of them.
    const packed = gzipSync(idxBytes([10, 10, 10], pixels(1000)), { level: 0 });
    writeFileSync(file, packed.subarray(0, packed.length - 108));
    const error = await errorOf(readIdx(file, 3));
    expect(error).toBeInstanceOf(DataError);
    expect(error.message).toBe(
      `${file}: truncated: expected 1000 bytes of values (10 × 10 × 10), got 900;` +
        ' the gzip archive ends early\nfix: download the file again',
    );
    // Only the check sum at the end is missing: still not trusted.
    writeFileSync(file, packed.subarray(0, packed.length - 4));
    expect((await errorOf(readIdx(file, 3))).message).toContain('the gzip archive ends early');
  });

  it('names a damaged gz file and one that cannot be read', async () => {
    const file = join(temporaryFolder(), 'images.gz');
    const packed = gzipSync(idxBytes([2, 3, 4], pixels(24)));
    packed[packed.length - 6] ^= 255;
    writeFileSync(file, packed);
    expect((await errorOf(readIdx(file, 3))).message).toMatch(
      /images\.gz: damaged gzip archive: .*\nfix: download the file again$/,
    );
    expect((await errorOf(readIdx(`${file}.none`, 3))).message).toContain(
      `${file}.none: cannot be read: no such file`,
    );
  });
});

/** Writes a small MNIST-like part. */
function writePart(
  folder: string,
  prefix: string,
  labels: number[],
  { images = labels.length, suffix = '' } = {},
): void {
  const pack = (bytes: Buffer): Buffer => (suffix === '.gz' ? gzipSync(bytes) : bytes);
  const imagesFile = join(folder, `${prefix}-images-idx3-ubyte${suffix}`);
  writeFileSync(imagesFile, pack(idxBytes([images, 4, 5], pixels(images * 20))));
  const labelsFile = join(folder, `${prefix}-labels-idx1-ubyte${suffix}`);
  writeFileSync(labelsFile, pack(idxBytes([labels.length], labels)));
}

describe('an MNIST folder', () => {
  it('opens as training and test part', async () => {
    const folder = temporaryFolder();
    writePart(folder, 'train', [1, 2, 3], { suffix: '.gz' });
    writePart(folder, 't10k', [9, 0]);
    const { train, test } = await openDataset(folder);
    expect([train.size, test!.size]).toEqual([3, 2]);
    expect(train.imageShape).toEqual([4, 5, 1]);
    expect(train.classNames).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
    expect([...train.labels]).toEqual([1, 2, 3]);
    expect([...(await train.read([2, 0]))]).toEqual([
      ...pixels(60).slice(40),
      ...pixels(60).slice(0, 20),
    ]);
    expect(train.describe!(2)).toBe('train #2');
    const alone = await openDataset(folder, { split: 'test' });
    expect([...alone.test.labels]).toEqual([9, 0]);
    expect(alone.train).toBeUndefined();
  });

  it('takes the names with dots, and no test part', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'train-images.idx3-ubyte'), idxBytes([1, 1, 1], [7]));
    writeFileSync(join(folder, 'train-labels.idx1-ubyte'), idxBytes([1], [7]));
    const { train, test } = await openDataset(folder);
    expect([train.size, test]).toEqual([1, undefined]);
    expect((await errorOf(openDataset(folder, { split: 'test' }))).message).toBe(
      `${folder}: MNIST needs t10k-images-idx3-ubyte.gz (or without .gz), which is not there\n` +
        `fix: tilegrad data download mnist --dir ${folder}`,
    );
  });

  it('is converted to the size and channels asked for', async () => {
    const folder = temporaryFolder();
    writePart(folder, 'train', [1, 2]);
    const { train } = await openDataset(folder, { imageSize: [8, 10], channels: 3 });
    expect(train.imageShape).toEqual([8, 10, 3]);
    const image = await train.read([1]);
    expect(image).toHaveLength(240);
    for (let i = 0; i < image.length; i += 3) {
      expect([image[i + 1], image[i + 2]]).toEqual([image[i], image[i]]);
    }
    const { train: same } = await openDataset(folder, { channels: 3 });
    expect([...(await same.read([0])).filter((_, i) => i % 3 === 0)]).toEqual(pixels(20));
  });

  it('refuses labels out of range, with their file and place', async () => {
    const folder = temporaryFolder();
    writePart(folder, 'train', [1, 10, 3]);
    const file = join(folder, 'train-labels-idx1-ubyte');
    expect((await errorOf(openMnist(folder, 'train'))).message).toBe(
      `${file}: label 10 of example 1 is outside 0..9 (10 classes)\n` +
        'fix: mend that label, or name the right number of classes: classCount 11',
    );
    expect((await openDataset(folder, { classCount: 11 })).train.classNames).toHaveLength(11);
  });

  it('opens EMNIST under its published names, and says what is odd about it', async () => {
    const folder = temporaryFolder();
    writePart(folder, 'emnist-letters-train', [1, 2, 26], { suffix: '.gz' });
    writePart(folder, 'emnist-letters-test', [3, 1], { suffix: '.gz' });
    const error = await errorOf(openDataset(folder));
    expect(error.message).toContain('label 26 of example 2 is outside 0..9 (10 classes)\nfix: ');
    expect(error.message).toContain('classCount 27');
    const { train, test, notes } = await openDataset(folder, { classCount: 27 });
    expect([[...train.labels], [...test!.labels], train.name]).toEqual([
      ...[[1, 2, 26], [3, 1], 'emnist-letters train'],
    ]);
    expect(notes[0]).toMatch(/images of EMNIST lie on their side as published, rows for columns/);
    expect(notes[1]).toBe('emnist-letters train: 24 classes without images (0, 3, 4, 5, 6, …)');
  });

  it('is chosen by the file of images where a folder holds several sets', async () => {
    const folder = temporaryFolder();
    writePart(folder, 'emnist-digits-train', [1, 2]);
    writePart(folder, 'emnist-mnist-train', [1, 2, 3]);
    const file = join(folder, 'emnist-mnist-train-images-idx3-ubyte');
    expect((await errorOf(openDataset(folder))).message).toBe(
      `${folder}: holds several data sets: emnist-digits-…, emnist-mnist-…\n` +
        'fix: name the file of images of one of them, such as' +
        ` ${join(folder, 'emnist-digits-train-images-idx3-ubyte')}`,
    );
    expect((await openDataset(file)).train.size).toBe(3);
    // One without a name of its own comes first.
    writePart(folder, 'train', [1]);
    const { train, notes } = await openDataset(folder);
    expect(train.size).toBe(1);
    expect(notes).toContain(`${file}: not used, nor are the files beside it`);
  });

  it('says which classes have no images', async () => {
    const folder = temporaryFolder();
    writePart(folder, 'train', [1, 2, 3]);
    expect((await openDataset(folder, { classCount: 4 })).notes).toEqual([
      'mnist train: a class without images (0): its labels begin at 1',
    ]);
  });

  it('refuses another number of labels than images, and no images at all', async () => {
    const folder = temporaryFolder();
    writePart(folder, 'train', [1, 2], { images: 3 });
    expect((await errorOf(openDataset(folder))).message).toBe(
      `${folder}: 3 images in ${join(folder, 'train-images-idx3-ubyte')}, but 2 labels in ` +
        `${join(folder, 'train-labels-idx1-ubyte')}\nfix: take both files from the same download`,
    );
    writePart(folder, 'train', []);
    expect((await errorOf(openDataset(folder))).message).toContain('ubyte: has no images');
  });
});

describe('openDataset', () => {
  it('says what is wrong with what it is given', async () => {
    const folder = temporaryFolder();
    const none = join(folder, 'none');
    expect((await errorOf(openDataset(none))).message).toBe(
      `${none}: no such file or folder\n` +
        "fix: check the path, or use 'builtin:digits'; a folder of your own holds one folder of images a class",
    );
    const mnist = join(folder, 'mnist');
    expect((await errorOf(openDataset(mnist))).message).toContain(
      `fix: tilegrad data download mnist --dir ${mnist}, or use 'builtin:digits'`,
    );
    writeFileSync(join(folder, 'notes.txt'), 'hello');
    expect((await errorOf(openDataset(join(folder, 'notes.txt')))).message).toContain(
      'notes.txt: expected a folder, a .csv or an .npz file',
    );
  });

  it.each([
    [
      { imageSize: [0, 4] as [number, number] },
      'imageSize must be height and width from 1 to 4096',
    ],
    [{ channels: 2 as 1 }, 'data: channels must be 1 (grey) or 3 (colour), got 2'],
    [{ size: 0 }, 'data: size must be a whole number ≥ 1, got 0'],
  ])('refuses %j', async (options, text) => {
    expect((await errorOf(openDataset('builtin:digits', options))).message).toContain(text);
  });
});
