import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { batches } from '../../src/data/batches.js';
import { decodeImage, probeImage } from '../../src/data/decode/decode.js';
import { listFolder, sortClassNames } from '../../src/data/formats/folder.js';
import { FolderDataset } from '../../src/data/decode/folder_dataset.js';
import { openDataset } from '../../src/data/open/open.js';
import { parsePortableMap } from '../../src/data/decode/ppm.js';
import { DataError } from '../../src/errors.js';
import { errorOf, temporaryFolder } from './helpers.js';

type Colour = readonly [number, number, number];

/** Writes an image of one colour; its kind follows from the name. */
async function writeImage(file: string, colour: Colour, height = 4, width = 4): Promise<void> {
  mkdirSync(dirname(file), { recursive: true });
  const pixels = Buffer.alloc(height * width * 3);
  for (let i = 0; i < pixels.length; i++) pixels[i] = colour[i % 3];
  if (file.endsWith('.ppm')) {
    writeFileSync(file, Buffer.concat([Buffer.from(`P6\n${width} ${height}\n255\n`), pixels]));
  } else {
    await sharp(pixels, { raw: { width, height, channels: 3 } }).toFile(file);
  }
}

const RED: Colour = [250, 10, 20];
const BLUE: Colour = [10, 20, 250];

/** DIR/train/{cat,dog} of two images each. */
async function writePets(folder: string): Promise<void> {
  for (const [name, colour] of [
    ['cat', RED],
    ['dog', BLUE],
  ] as const) {
    await writeImage(join(folder, 'train', name, 'a.png'), colour);
    await writeImage(join(folder, 'train', name, 'b.ppm'), colour);
  }
}

async function writeTruncated(file: string): Promise<void> {
  const noise = Buffer.from(Uint8Array.from({ length: 3072 }, (_, i) => (i * 7919) % 251));
  await sharp(noise, { raw: { width: 32, height: 32, channels: 3 } }).toFile(file);
  const whole = readFileSync(file);
  writeFileSync(file, whole.subarray(0, whole.length - 40));
}

describe('a folder of class folders', () => {
  it('opens in order of the classes, with test and val beside train', async () => {
    const folder = temporaryFolder();
    await writePets(folder);
    await writeImage(join(folder, 'test', 'dog', 'c.png'), BLUE);
    const { train, test, validation } = await openDataset(folder);
    expect(train.classNames).toEqual(['cat', 'dog']);
    expect([...train.labels]).toEqual([0, 0, 1, 1]);
    expect(train.imageShape).toEqual([4, 4, 3]);
    expect(train.describe!(1)).toBe(join(folder, 'train', 'cat', 'b.ppm'));
    expect([...(await train.read([3, 0]))]).toEqual([
      ...Array<Colour>(16).fill(BLUE).flat(),
      ...Array<Colour>(16).fill(RED).flat(),
    ]);
    // Known by the classes of training, though only one of them occurs.
    expect([test!.classNames, [...test!.labels]]).toEqual([['cat', 'dog'], [1]]);
    expect(validation).toBeUndefined();
    await writeImage(join(folder, 'val', 'cat', 'd.png'), RED);
    const three = await openDataset(folder);
    expect([three.train.size, three.validation!.size, three.test!.size]).toEqual([4, 1, 1]);
    expect((await openDataset(folder, { split: 'test' })).test.size).toBe(1);
  });

  it('takes val for the validation part where there is no test, and class folders alone', async () => {
    const folder = temporaryFolder();
    await writePets(folder);
    await writeImage(join(folder, 'val', 'cat', 'd.png'), RED);
    const { test, validation } = await openDataset(folder);
    expect([validation!.size, test]).toEqual([1, undefined]);
    const plain = await openDataset(join(folder, 'train'));
    expect([plain.train.size, plain.test]).toEqual([4, undefined]);
    const error = await errorOf(openDataset(join(folder, 'train'), { split: 'test' }));
    expect(error.message).toContain('train: has no test part');
  });

  it('scales to the size and channels asked for', async () => {
    const folder = temporaryFolder();
    await writePets(folder);
    await writeImage(join(folder, 'train', 'cat', 'wide.jpg'), [200, 200, 200], 6, 12);
    const { train } = await openDataset(folder, { imageSize: [8, 5], channels: 1 });
    expect(train.imageShape).toEqual([8, 5, 1]);
    // The luma of RED is 0.299·250 + 0.587·10 + 0.114·20 = 82.9.
    expect(new Set(await train.read([0, 1]))).toEqual(new Set([83]));
    expect(new Set(await train.read([2]))).toEqual(new Set([200]));
  });

  it('names two images of different sizes when no size is asked for', async () => {
    const folder = temporaryFolder();
    await writePets(folder);
    await writeImage(join(folder, 'train', 'dog', 'c.png'), BLUE, 4, 6);
    const error = await errorOf(openDataset(folder));
    expect(error).toBeInstanceOf(DataError);
    expect(error.message).toBe(
      `data: images of different sizes: ${join(folder, 'train/cat/a.png')} is 4×4,` +
        ` ${join(folder, 'train/dog/c.png')} is 4×6 (height × width)\n` +
        'fix: ask for one size, to which all are scaled: imageSize: [H, W]',
    );
  });

  it('refuses one class, an empty class and a class unknown to training', async () => {
    const folder = temporaryFolder();
    await writeImage(join(folder, 'train', 'cat', 'a.png'), RED);
    expect((await errorOf(openDataset(folder))).message).toBe(
      `${join(folder, 'train')}: expected at least 2 class folders, got 1 (cat)\n` +
        'fix: put the images of each class into a folder named like the class',
    );
    mkdirSync(join(folder, 'train', 'dog'));
    writeFileSync(join(folder, 'train', 'dog', 'list.csv'), '');
    expect((await errorOf(openDataset(folder))).message).toBe(
      `${join(folder, 'train')}: expected images in at least 2 class folders, got them in 1 of 2` +
        ' (dog: none)\nfix: put jpg, jpeg, png, webp, gif, tif, tiff, avif, bmp, ppm, pgm files into the' +
        ' folder of each class',
    );
    await writeImage(join(folder, 'train', 'dog', 'a.png'), BLUE);
    await writeImage(join(folder, 'test', 'cow', 'a.png'), BLUE);
    expect((await errorOf(openDataset(folder))).message).toBe(
      `${join(folder, 'test')}: class folder 'cow' is none of the 2 known classes (cat, dog)\n` +
        'fix: rename the folder or move it away',
    );
  });

  it('leaves out empty class folders with a note, also those of known classes', async () => {
    const folder = temporaryFolder();
    await writePets(folder);
    for (const name of ['train/cow', 'test/cat', 'test/dog']) {
      mkdirSync(join(folder, name), { recursive: true });
    }
    await writeImage(join(folder, 'test', 'dog', 'a.png'), BLUE);
    const { train, test, notes } = await openDataset(folder);
    expect([train.classNames, [...test!.labels]]).toEqual([['cat', 'dog'], [1]]);
    const kinds = 'jpg, jpeg, png, webp, gif, tif, tiff, avif, bmp, ppm, pgm';
    expect(notes).toEqual([
      `${join(folder, 'train')}: class folders without images (${kinds}): cow`,
      `${join(folder, 'test')}: class folders without images (${kinds}): cat`,
    ]);
    const classNames = ['cat', 'cow', 'dog'];
    const alone = await openDataset(join(folder, 'test'), { classNames });
    expect([alone.train.classNames, [...alone.train.labels]]).toEqual([classNames, [2]]);
    rmSync(join(folder, 'test', 'cat'), { recursive: true });
    const missing = await openDataset(join(folder, 'test'), { classNames });
    expect([...missing.train.labels]).toEqual([2]);
  });

  it('passes over what a Mac puts into archives', async () => {
    const folder = temporaryFolder();
    await writePets(folder);
    mkdirSync(join(folder, 'train', '__MACOSX', 'cat'), { recursive: true });
    expect((await openDataset(join(folder, 'train'))).train.classNames).toEqual(['cat', 'dog']);
  });

  it('refuses images outside of any class folder', async () => {
    const folder = temporaryFolder();
    await writeImage(join(folder, 'a.png'), RED);
    expect((await errorOf(openDataset(folder, { format: 'images' }))).message).toContain(
      `${folder}: expected at least 2 class folders, got 0 and 1 images outside of any`,
    );
    expect((await errorOf(openDataset(folder))).message).toContain(
      `${folder}: expected MNIST idx files, a CSV file, CIFAR files, .npy or .npz arrays` +
        ' or class folders of images, got none of them\n' +
        'fix: put the images of each class into a folder of its own',
    );
  });

  it('tells the owner of SVHN how to convert its .mat files', async () => {
    const folder = temporaryFolder();
    const file = join(folder, 'train_32x32.mat');
    writeFileSync(file, 'MATLAB 5.0 MAT-file');
    for (const path of [folder, file]) {
      const { message } = await errorOf(openDataset(path));
      expect(message).toContain("fix: convert the .mat files into .npy arrays; SVHN's, in their");
      expect(message).toContain("n.save('x_'+p, m['X'].transpose(3,0,1,2))");
    }
  });

  it('skips files that are no images, and says how many', async () => {
    const folder = temporaryFolder();
    await writePets(folder);
    writeFileSync(join(folder, 'train', 'cat', 'GT-00000.csv'), 'a;b');
    writeFileSync(join(folder, 'train', 'cat', '.DS_Store'), 'x');
    const { train, notes } = await openDataset(folder);
    expect(train.size).toBe(4);
    expect(notes).toEqual([
      `${join(folder, 'train')}: skipped 1 files that are no images` +
        ` (${join(folder, 'train', 'cat', 'GT-00000.csv')}, …)`,
    ]);
  });

  it('takes classes in the order of their numbers, or as it is told', async () => {
    expect(sortClassNames(['10', '9', '00'])).toEqual(['00', '9', '10']);
    expect(sortClassNames(['b', 'B', 'a10', 'a9'])).toEqual(['B', 'a10', 'a9', 'b']);
    const folder = temporaryFolder();
    await writePets(folder);
    const { train } = await openDataset(folder, { classNames: ['dog', 'cow', 'cat'] });
    expect([...train.labels]).toEqual([2, 2, 0, 0]);
  });

  it('groups the frames of a track', async () => {
    const folder = temporaryFolder();
    for (const name of ['00000/00000_00000', '00000/00000_00001', '00001/00000_00000']) {
      await writeImage(join(folder, `${name}.ppm`), RED);
    }
    const listing = await listFolder(folder);
    expect([...listing.groups!]).toEqual([0, 0, 1]);
    await writeImage(join(folder, '00001', 'other.ppm'), RED);
    expect((await listFolder(folder)).groups).toBeUndefined();
  });

  it('names a broken image when it is read', async () => {
    const folder = temporaryFolder();
    await writePets(folder);
    const file = join(folder, 'train', 'dog', 'c.jpg');
    await writeTruncated(file);
    const { train } = await openDataset(folder, { imageSize: [4, 4], decodeAt: 'read' });
    const error = await errorOf(async () => {
      for await (const batch of batches(train, { batchSize: 2 }))
        expect(batch.size).toBeLessThan(3);
    });
    expect(error).toBeInstanceOf(DataError);
    expect(error.message).toMatch(
      /dog\/c\.jpg: broken image: .+\nfix: replace or delete the file$/,
    );
  });

  it('keeps decoded images while there is room, and gives them up on close', async () => {
    const folder = temporaryFolder();
    await writePets(folder);
    const listing = await listFolder(join(folder, 'train'));
    const data = new FolderDataset('pets', listing, [4, 4, 3], { cacheBytes: 2 * 48 });
    const first = await data.read([0, 1, 2, 3, 0]);
    expect(data.cachedCount).toBe(2);
    // Cached ones are no longer read from their files, others are.
    for (const index of [0, 1, 2]) writeFileSync(data.describe(index), 'gone');
    expect(await data.read([0, 1, 3, 3])).toEqual(
      Uint8Array.from([
        ...first.subarray(0, 96),
        ...first.subarray(144, 192),
        ...first.subarray(144, 192),
      ]),
    );
    expect((await errorOf(data.read([2]))).message).toContain('broken image');
    await data.close();
    expect(data.cachedCount).toBe(0);
    expect((await errorOf(data.read([0]))).message).toContain('broken image');
  });
});

describe('decodeImage', () => {
  it('reads png, jpg, webp and ppm to the same pixels', async () => {
    const folder = temporaryFolder();
    for (const kind of ['png', 'jpg', 'webp', 'ppm']) {
      const file = join(folder, `a.${kind}`);
      await writeImage(file, [120, 120, 120], 6, 5);
      expect(await probeImage(file)).toEqual([6, 5]);
      const pixels = await decodeImage(file, [6, 5], 3);
      expect(pixels).toHaveLength(90);
      for (const value of pixels) expect(Math.abs(value - 120)).toBeLessThanOrEqual(2);
    }
  });

  it('makes transparent parts white and turns photos upright', async () => {
    const file = join(temporaryFolder(), 'a.png');
    const clear = { r: 9, g: 9, b: 9, alpha: 0 };
    await sharp({ create: { width: 2, height: 3, channels: 4, background: clear } }).toFile(file);
    expect(new Set(await decodeImage(file, [3, 2], 3))).toEqual(new Set([255]));
    const photo = join(temporaryFolder(), 'b.jpg');
    const create = { width: 8, height: 16, channels: 3, background: '#888' } as const;
    await sharp({ create }).withMetadata({ orientation: 6 }).toFile(photo);
    expect(await probeImage(photo)).toEqual([8, 16]);
  });

  it('names a file that is missing or empty', async () => {
    const folder = temporaryFolder();
    const file = join(folder, 'a.png');
    expect((await errorOf(decodeImage(file, [2, 2], 3))).message).toContain(
      `${file}: cannot be read: ENOENT`,
    );
    writeFileSync(file, '');
    expect((await errorOf(decodeImage(file, [2, 2], 3))).message).toBe(
      `${file}: broken image: the file is empty\nfix: replace or delete the file`,
    );
    expect((await errorOf(probeImage(folder))).message).toBe(
      `${folder}: broken image: not a regular file`,
    );
    const pipe = join(folder, 'pipe.png');
    // Windows has no such thing.
    if (process.platform !== 'win32') {
      execFileSync('mkfifo', [pipe]);
      expect((await errorOf(decodeImage(pipe, [2, 2], 3))).message).toContain('not a regular file');
    }
    writeFileSync(file, 'no image at all');
    expect((await errorOf(probeImage(file))).message).toBe(
      `${file}: broken image: expected the content of JPEG, PNG, WebP, GIF, TIFF, AVIF, BMP, PPM or PGM,` +
        ' got something else\nfix: replace or delete the file',
    );
  });
});

describe('parsePortableMap', () => {
  const parse = (header: string, samples: number[]): ReturnType<typeof parsePortableMap> =>
    parsePortableMap(Buffer.concat([Buffer.from(header), Buffer.from(samples)]), 'a.ppm');

  it('reads colour and grey, comments, and samples of any depth', () => {
    expect(parse('P6\n# made by hand\n1 2 # size\n255\n', [1, 2, 3, 4, 5, 6])).toMatchObject({
      pixels: Buffer.from([1, 2, 3, 4, 5, 6]),
      height: 2,
      width: 1,
      channels: 3,
    });
    const grey = parse('P5 3 1 15 ', [0, 7, 15]);
    expect([[...grey.pixels], grey.channels]).toEqual([[0, 119, 255], 1]);
    expect([...parse('P5 2 1 65535\n', [255, 255, 128, 0]).pixels]).toEqual([255, 128]);
  });

  it.each([
    ['P3\n1 1\n255\n1 2 3', 'a.ppm: expected a binary PPM or PGM (P6 or P5), got P3'],
    ['P6\n2 2\n255\nabc', 'a.ppm: truncated: expected 12 bytes of samples (2 × 2, P6), got 3'],
    ['P6\n2', 'broken PPM header: the height must be a whole number from 1 to 65535'],
    ['P6\n0 2\n255\n', 'broken PPM header: the width must be a whole number from 1 to 65535'],
    ['P6\n2 2\n70000\n', 'the largest sample must be a whole number from 1 to 65535'],
  ])('refuses %j', (text, message) => {
    expect(() => parse(text, [])).toThrow(DataError);
    expect(() => parse(text, [])).toThrow(message);
  });
});
