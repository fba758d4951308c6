import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { checkDataset } from '../../src/data/check.js';
import type { ImageDataset } from '../../src/data/dataset.js';
import { decodeImage, LARGEST_PIXELS } from '../../src/data/decode/decode.js';
import { openDataset } from '../../src/data/open/open.js';
import { DataError, UsageError } from '../../src/errors.js';
import { crc32 } from '../../src/io/zip.js';
import { errorOf, temporaryFolder } from './helpers.js';

/** A PPM whose pixel in row y and column x is (x, y, mark). */
function writePixmap(file: string, mark: number, height = 6, width = 6): void {
  mkdirSync(dirname(file), { recursive: true });
  const pixels = Buffer.alloc(height * width * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) pixels.set([x, y, mark], (y * width + x) * 3);
  }
  writeFileSync(file, Buffer.concat([Buffer.from(`P6\n${width} ${height}\n255\n`), pixels]));
}

async function writePng(file: string, colour = '#a52', height = 4, width = 4): Promise<void> {
  mkdirSync(dirname(file), { recursive: true });
  const create = { width, height, channels: 3, background: colour } as const;
  await sharp({ create }).toFile(file);
}

function five(number: number): string {
  return String(number).padStart(5, '0');
}

const HEADER = 'Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2;ClassId';

/** GTSRB in small: 43 classes of two tracks of two frames, and three test images. */
function writeSigns(folder: string): void {
  for (let label = 0; label < 43; label++) {
    const place = join(folder, 'Final_Training', 'Images', five(label));
    const rows = [HEADER];
    for (const frame of ['00000_00000', '00000_00001', '00001_00000', '00001_00001']) {
      writePixmap(join(place, `${frame}.ppm`), label);
      rows.push(`${frame}.ppm;6;6;1;2;4;5;${label}`);
    }
    writeFileSync(join(place, `GT-${five(label)}.csv`), `${rows.join('\r\n')}\r\n`);
  }
  const rows = [HEADER];
  for (const [index, label] of [7, 42, 7].entries()) {
    writePixmap(join(folder, 'Final_Test', 'Images', `${five(index)}.ppm`), label);
    rows.push(`${five(index)}.ppm;6;6;0;0;2;3;${label}`);
  }
  writeFileSync(testTable(folder), rows.join('\n'));
}

function testTable(folder: string): string {
  return join(folder, 'Final_Test', 'Images', 'GT-final_test.csv');
}

async function firstImage(dataset: ImageDataset): Promise<number[]> {
  return [...(await dataset.read([0]))];
}

describe('GTSRB', () => {
  it('opens as published, with tracks, names of signs and the official test set', async () => {
    const folder = temporaryFolder();
    writeSigns(folder);
    for (const place of [folder, join(folder, 'Final_Training', 'Images')]) {
      const { train, test, notes, skipped } = await openDataset(place);
      expect([train.size, train.imageShape]).toEqual([172, [6, 6, 3]]);
      expect(train.classNames.slice(0, 2)).toEqual(['speed limit 20', 'speed limit 30']);
      expect(train.classNames[42]).toBe('end of no passing for trucks');
      expect([...train.groups!.subarray(0, 6)]).toEqual([0, 0, 1, 1, 2, 2]);
      expect([...train.labels.subarray(0, 5)]).toEqual([0, 0, 0, 0, 1]);
      expect([notes, skipped]).toEqual([[], []]);
      if (place !== folder) continue;
      expect(test!.classNames).toEqual(train.classNames);
      expect([...test!.labels]).toEqual([7, 42, 7]);
      expect((await test!.read([1]))[2]).toBe(42);
    }
    const { test } = await openDataset(folder, { split: 'test' });
    expect([test.size, test.classNames.length]).toEqual([3, 43]);
  });

  it('is found in its own folder, and named by its tables where the test set has none', async () => {
    const folder = temporaryFolder();
    writeSigns(join(folder, 'GTSRB'));
    const table = readFileSync(testTable(join(folder, 'GTSRB')), 'utf8');
    writeFileSync(testTable(join(folder, 'GTSRB')), '');
    expect((await errorOf(openDataset(folder))).message).toContain(
      `expected a first line with the columns ClassId, got ''`,
    );
    rmSync(testTable(join(folder, 'GTSRB')));
    const { test, notes } = await openDataset(folder);
    expect(test).toBeUndefined();
    expect(notes).toEqual([
      `${join(folder, 'GTSRB', 'Final_Test', 'Images')}: left out: without GT-final_test.csv (part of` +
        ' a download of its own) the classes are not known',
    ]);
    writeFileSync(join(folder, 'GTSRB', 'GT-final_test.csv'), table);
    expect((await openDataset(folder)).test!.size).toBe(3);
  });

  it('cuts images to their signs on request', async () => {
    const folder = temporaryFolder();
    writeSigns(folder);
    const { train, test } = await openDataset(folder, { crop: 'roi' });
    expect(train.imageShape).toEqual([4, 4, 3]);
    expect((await firstImage(train)).slice(0, 6)).toEqual([1, 2, 0, 2, 2, 0]);
    // The box of a test image is 4×3; all parts have the size of the first.
    expect(test!.imageShape).toEqual([4, 4, 3]);
    expect((await errorOf(openDataset(folder, { crop: 'box' as 'roi' }))).message).toBe(
      "data: crop must be 'roi', got 'box'",
    );
    const outside = `${HEADER}\n00000.ppm;6;6;0;0;9;3;1`;
    writeFileSync(testTable(folder), outside);
    const error = await errorOf(openDataset(folder, { crop: 'roi', split: 'test' }));
    expect(error.message).toContain(
      'region of 4×10 (height × width) from column 0, row 0 on is not inside the image of 6×6',
    );
  });

  it.each([
    [
      '00000.ppm;6;6;1;1;3;3',
      ':2: expected 8 fields as in the first line, got 7\nfix: mend that line',
    ],
    ['00000.ppm;6;6;1;1;3;3;1;1', ':2: expected 8 fields as in the first line, got 9'],
    ['00000.ppm;6;6;1;1;3;3;43', ":2: ClassId must be a whole number from 0 to 42, got '43'"],
    ['00000.ppm;6;6;1;1;3;3;one', ":2: ClassId must be a whole number from 0 to 42, got 'one'"],
    [';6;6;1;1;3;3;1', ':2: expected a file name (Filename or Path)'],
    ['', ': lists no images'],
  ])('names the line of a test table that is wrong: %j', async (row, message) => {
    const folder = temporaryFolder();
    writeSigns(folder);
    writeFileSync(testTable(folder), `${HEADER}\n${row}\n`);
    const error = await errorOf(openDataset(folder));
    expect(error).toBeInstanceOf(DataError);
    expect(error.message).toContain(testTable(folder) + message);
  });

  it('opens copies with Train, Test and Test.csv', async () => {
    const folder = temporaryFolder();
    for (let label = 0; label < 43; label++) {
      for (const name of [`${five(label)}_00000_00000`, `${five(label)}_00000_00001`]) {
        await writePng(join(folder, 'Train', String(label), `${name}.png`));
      }
    }
    await writePng(join(folder, 'Test', '00000.png'));
    writeFileSync(join(folder, 'Train.csv'), 'Width,Height,ClassId,Path\n');
    writeFileSync(join(folder, 'Test.csv'), 'Width,Height,ClassId,Path\n4,4,16,Test/00000.png\n');
    const { train, test } = await openDataset(folder);
    expect([train.size, train.classNames[16], new Set(train.groups).size]).toEqual([
      86,
      'no trucks',
      43,
    ]);
    expect([...test!.labels]).toEqual([16]);
  });

  it('keeps folder names where the classes are not those of GTSRB', async () => {
    const folder = temporaryFolder();
    for (const label of [0, 1, 2]) writePixmap(join(folder, five(label), '00000_00000.ppm'), label);
    const { train } = await openDataset(folder);
    expect(train.classNames).toEqual(['00000', '00001', '00002']);
    const named = await openDataset(folder, {
      classNames: ['speed limit 50', 'speed limit 20', 'speed limit 30'],
    });
    expect([...named.train.labels]).toEqual([1, 2, 0]);
  });
});

describe('the Simpsons', () => {
  async function writeSimpsons(folder: string, train: string, test: string): Promise<void> {
    for (const [name, count] of [
      ['homer_simpson', 3],
      ['bart_simpson', 3],
      ['lionel_hutz', 1],
    ] as const) {
      for (let i = 0; i < count; i++) {
        await writePng(join(folder, train, name, `pic_000${i}.jpg`), '#a52', 5 + i, 4);
      }
    }
    for (const name of ['homer_simpson_0', 'homer_simpson_12', 'bart_simpson_1', 'lionel_hutz_0']) {
      await writePng(join(folder, test, `${name}.jpg`));
    }
  }

  it.each([
    ['train', 'kaggle_simpson_testset'],
    ['train', 'test'],
    ['simpsons_dataset/simpsons_dataset', 'kaggle_simpson_testset/kaggle_simpson_testset'],
    ['.', 'kaggle_simpson_testset'],
  ])('open from %s and %s', async (trainPlace, testPlace) => {
    const folder = temporaryFolder();
    await writeSimpsons(folder, trainPlace, testPlace);
    writeFileSync(join(folder, 'number_pic_char.csv'), 'name,total\n');
    const { train, test, notes } = await openDataset(folder, { imageSize: [4, 4] });
    expect(train.classNames).toEqual(['bart_simpson', 'homer_simpson', 'lionel_hutz']);
    expect(train.size).toBe(7);
    expect([...test!.labels]).toEqual([0, 1, 1, 2]);
    expect(test!.describe!(2)).toBe(join(folder, testPlace, 'homer_simpson_12.jpg'));
    expect(notes).toEqual([]);
  });

  it('leave out classes with few images, in all parts', async () => {
    const folder = temporaryFolder();
    await writeSimpsons(folder, 'train', 'testset');
    await writePng(join(folder, 'testset', 'moe_0.jpg'));
    const options = { imageSize: [4, 4], minImages: 2 } as const;
    const { train, test, notes } = await openDataset(folder, options);
    expect([train.classNames, train.size]).toEqual([['bart_simpson', 'homer_simpson'], 6]);
    expect([...test!.labels]).toEqual([0, 1, 1]);
    expect(notes).toEqual([
      `${join(folder, 'train')}: left out 1 classes of fewer than 2 images (lionel_hutz 1)`,
      `${join(folder, 'testset')}: left out 1 images of classes left out`,
      `${join(folder, 'testset')}: left out 1 images of no known class (moe_0.jpg, …)`,
    ]);
    expect((await errorOf(openDataset(folder, { ...options, minImages: 9 }))).message).toBe(
      `${join(folder, 'train')}: 0 of 3 classes have the 9 images asked for\nfix: lower minImages`,
    );
    const wrong = await errorOf(openDataset(folder, { ...options, minImages: 0.5 }));
    expect(wrong).toBeInstanceOf(UsageError);
    expect(wrong.message).toBe('data: minImages must be a whole number ≥ 1, got 0.5');
  });

  it('open from the test folder alone when the classes are known', async () => {
    const folder = temporaryFolder();
    await writeSimpsons(folder, 'train', 'all');
    const classNames = ['homer_simpson', 'homer', 'bart_simpson', 'lionel_hutz'];
    const { train } = await openDataset(join(folder, 'all'), { classNames });
    expect([...train.labels]).toEqual([2, 0, 0, 3]);
    const error = await errorOf(openDataset(join(folder, 'all'), { classNames: ['ned', 'apu'] }));
    expect(error.message).toContain(
      'none of 4 images is named after one of the 2 classes (ned, apu), such as ned_1.jpg; the first' +
        ' is bart_simpson_1.jpg',
    );
  });

  it('are told from a class that is called train or test', async () => {
    const folder = temporaryFolder();
    for (const name of ['apple', 'test', 'train']) await writePng(join(folder, name, 'a.png'));
    const { train, test } = await openDataset(folder);
    expect([train.classNames, test]).toEqual([['apple', 'test', 'train'], undefined]);
  });
});

describe('class folders that are wrong', () => {
  it('differ only in upper and lower case', async () => {
    const folder = temporaryFolder();
    for (const name of ['Bart', 'bart', 'moe']) await writePng(join(folder, name, 'a.png'));
    const error = await errorOf(openDataset(folder));
    expect(error).toBeInstanceOf(DataError);
    expect(error.message).toBe(
      `${folder}: class folders 'Bart' and 'bart' differ only in upper and lower case\n` +
        'fix: put their images into one folder, or rename one of them',
    );
    expect((await checkDataset(folder)).problems).toEqual([error.message]);
  });
});

describe('images of odd sizes', () => {
  it('may have one pixel', async () => {
    const folder = temporaryFolder();
    await writePng(join(folder, 'a', 'dot.png'), '#0a141e', 1, 1);
    await writePng(join(folder, 'b', 'line.png'), '#0a141e', 1, 20_000);
    const { train } = await openDataset(folder, { imageSize: [2, 2] });
    expect([...(await train.read([0, 1]))]).toEqual(
      new Array<number[]>(8).fill([10, 20, 30]).flat(),
    );
  });

  it('are left out from 2²⁷ pixels on, with one clear reason', async () => {
    const folder = temporaryFolder();
    await writePng(join(folder, 'a', 'fine.png'));
    await writePng(join(folder, 'b', 'fine.png'));
    const huge = join(folder, 'b', 'huge.png');
    // Of one colour and one bit, 20,000 × 20,000 pixels are a small file.
    writeFileSync(huge, hugePng());
    const map = join(folder, 'a', 'huge.ppm');
    writeFileSync(map, 'P6\n20000 20000\n255\n');
    const { train, skipped } = await openDataset(folder, { imageSize: [4, 4] });
    expect(train.size).toBe(2);
    const reason =
      `image too large: 20000×20000 pixels (height × width), decoded are at most ${LARGEST_PIXELS}` +
      ' pixels from 536870912 bytes';
    expect(skipped).toEqual([
      { file: map, reason },
      { file: huge, reason },
    ]);
    expect((await errorOf(decodeImage(huge, [4, 4], 3))).message).toBe(
      `${huge}: ${reason}\nfix: scale it down or delete the file`,
    );
  });

  function hugePng(): Buffer {
    const chunk = (type: string, data: Buffer): Buffer => {
      const body = Buffer.concat([Buffer.from(type), data]);
      const frame = Buffer.alloc(8);
      frame.writeUInt32BE(data.length);
      frame.writeUInt32BE(crc32(body), 4);
      return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
    };
    const header = Buffer.alloc(13);
    header.writeUInt32BE(20_000, 0);
    header.writeUInt32BE(20_000, 4);
    header[8] = 1;
    const rows = deflateSync(Buffer.alloc(20_000 * 2501));
    const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10]);
    const chunks = [chunk('IHDR', header), chunk('IDAT', rows), chunk('IEND', Buffer.alloc(0))];
    return Buffer.concat([signature, ...chunks]);
  }
});

describe('enlarge', () => {
  it('leaves images of one smaller size as they are, for the GPU', async () => {
    const folder = temporaryFolder();
    for (const name of ['train/a', 'train/b', 'test/a'])
      await writePng(join(folder, name, '1.png'));
    const later = { imageSize: [8, 8], enlarge: 'later' } as const;
    const small = await openDataset(folder, later);
    expect([small.train.imageShape, small.test!.imageShape]).toEqual([
      [4, 4, 3],
      [4, 4, 3],
    ]);
    expect((await openDataset(folder, { imageSize: [8, 8] })).train.imageShape).toEqual([8, 8, 3]);
    const shrunk = await openDataset(folder, { ...later, imageSize: [8, 3] });
    expect(shrunk.train.imageShape).toEqual([8, 3, 3]);
    await writePng(join(folder, 'train/b', '2.png'), '#fff', 4, 5);
    const mixed = await openDataset(folder, later);
    expect([mixed.train.imageShape, mixed.test!.imageShape]).toEqual([
      [8, 8, 3],
      [8, 8, 3],
    ]);
    const drawn = await openDataset('builtin:signs', {
      size: 43,
      imageSize: [64, 64],
      enlarge: 'later',
    });
    expect([drawn.train.imageShape, drawn.test!.imageShape]).toEqual([
      [32, 32, 3],
      [32, 32, 3],
    ]);
    const wrong = await errorOf(openDataset(folder, { enlarge: 'never' as 'later' }));
    expect(wrong.message).toBe("data: enlarge must be 'cpu' or 'later', got 'never'");
  });
});
