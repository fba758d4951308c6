import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkDataset } from '../../src/data/check.js';
import { openDataset } from '../../src/data/open/open.js';
import { formatNpy } from '../../src/io/npy.js';
import { errorOf, idxBytes, temporaryFolder } from './helpers.js';

/** A grey image of one brightness. */
function writeImage(mark: number, ...path: string[]): void {
  const file = join(...path);
  mkdirSync(join(file, '..'), { recursive: true });
  const header = Buffer.from('P6\n2 2\n255\n');
  writeFileSync(file, Buffer.concat([header, Buffer.alloc(12, mark)]));
}

/** Digits 0 to 2 in each of the ways of keeping them; every pixel is `mark`, whichever the way. */
const ways: Record<string, (folder: string, part: 'train' | 'test', mark: number) => void> = {
  'class folders': (folder, part, mark) => {
    for (const name of ['0', '1', '2']) writeImage(mark, folder, part, name, 'a.ppm');
  },
  'idx files': (folder, part, mark) => {
    const prefix = join(folder, part === 'train' ? 'train' : 't10k');
    const pixels = new Array<number>(12).fill(mark);
    writeFileSync(`${prefix}-images-idx3-ubyte`, idxBytes([3, 2, 2], pixels));
    writeFileSync(`${prefix}-labels-idx1-ubyte`, idxBytes([3], [0, 1, 2]));
  },
  'CSV files': (folder, part, mark) => {
    const pixels = new Array<number>(4).fill(mark).join(',');
    writeFileSync(
      join(folder, `${part}.csv`),
      [0, 1, 2].map((label) => `${label},${pixels}\n`).join(''),
    );
  },
  arrays: (folder, part, mark) => {
    const values = new Uint8Array(12).fill(mark);
    const labels = { shape: [3], values: Uint8Array.of(0, 1, 2) };
    writeFileSync(join(folder, `x_${part}.npy`), formatNpy({ shape: [3, 2, 2], values }));
    writeFileSync(join(folder, `y_${part}.npy`), formatNpy(labels));
  },
};

const pairs = Object.keys(ways).flatMap((first) =>
  Object.keys(ways)
    .filter((second) => second !== first)
    .map((second): [string, string] => [first, second]),
);

describe('layouts side by side', () => {
  it.each(pairs)(
    'take the training part from %s and the test part from %s',
    async (first, second) => {
      const folder = temporaryFolder();
      ways[first](folder, 'train', 10);
      ways[second](folder, 'test', 20);
      const { train, test, notes } = await openDataset(folder, { classCount: 3 });
      expect([train.size, test!.size, notes]).toEqual([3, 3, []]);
      expect(test!.imageShape).toEqual(train.imageShape);
      expect([test!.classNames, [...test!.labels]]).toEqual([train.classNames, [0, 1, 2]]);
      expect((await train.read([0]))[0]).toBe(10);
      expect((await test!.read([2]))[0]).toBe(20);
      const report = await checkDataset(folder, { classCount: 3 });
      expect(report.parts.map(({ part, count }) => [part, count])).toEqual([
        ['train', 3],
        ['test', 3],
      ]);
      expect(report.isFine).toBe(true);
      const alone = await openDataset(folder, { classCount: 3, split: 'test' });
      expect([alone.test.size, alone.test.imageShape]).toEqual([3, train.imageShape]);
    },
  );

  it.each(pairs)('with both parts in %s and %s name what is not used', async (first, second) => {
    const folder = temporaryFolder();
    for (const part of ['train', 'test'] as const) {
      ways[first](folder, part, 10);
      ways[second](folder, part, 20);
    }
    const { train, test, notes } = await openDataset(folder, { classCount: 3 });
    // Both parts from one of the two.
    expect((await train.read([0]))[0]).toBe((await test!.read([0]))[0]);
    expect(notes).toHaveLength(2);
    for (const [k, part] of ['training', 'test'].entries()) {
      expect(notes[k]).toContain(`: not used: the ${part} part is `);
      expect(notes[k].startsWith(folder)).toBe(true);
    }
    expect((await checkDataset(folder, { classCount: 3 })).notes).toEqual(
      expect.arrayContaining(notes),
    );
  });

  it('take the test part of GTSRB beside training folders of the same numbers', async () => {
    const folder = temporaryFolder();
    for (const name of ['00000', '00001', '00002']) writeImage(10, folder, 'train', name, 'a.ppm');
    writeImage(20, folder, 'Final_Test', 'Images', '00000.ppm');
    const table = join(folder, 'Final_Test', 'Images', 'GT-final_test.csv');
    writeFileSync(table, 'Filename;ClassId\n00000.ppm;2\n');
    const { train, test, notes } = await openDataset(folder);
    expect([train.size, [...test!.labels], notes]).toEqual([3, [2], []]);
    writeFileSync(table, 'Filename;ClassId\n00000.ppm;3\n');
    expect((await errorOf(openDataset(folder))).message).toContain(
      "GT-final_test.csv:2: ClassId must be a whole number from 0 to 2, got '3'",
    );
  });

  it('leave out, with a note, a test part whose classes are not those of the training part', async () => {
    const folder = temporaryFolder();
    for (const name of ['cat', 'dog']) writeImage(10, folder, 'train', name, 'a.ppm');
    writeFileSync(join(folder, 'test.csv'), '0,1,1,1,1\n');
    const numbered = await openDataset(folder);
    expect([numbered.train.size, numbered.test]).toEqual([2, undefined]);
    expect(numbered.notes).toEqual([
      `left out as the test part: ${join(folder, 'test.csv')}: its classes are 0, 1, those of the` +
        ' training part cat, dog',
    ]);
    expect((await checkDataset(folder)).notes).toEqual(numbered.notes);
    // As Kaggle has it: the names of files, and no images at all.
    writeFileSync(join(folder, 'test.csv'), 'id,file\n7,7.png\n');
    const listed = await openDataset(folder);
    expect(listed.test).toBeUndefined();
    expect(listed.notes).toEqual([
      `left out as the test part: ${join(folder, 'test.csv')}:2: pixel 1 must be a whole number from` +
        " 0 to 255, got '7.png'",
    ]);
    const error = await errorOf(openDataset(folder, { split: 'test' }));
    expect(error.message).toContain("pixel 1 must be a whole number from 0 to 255, got '7.png'");
  });

  it('name a second folder of a part', async () => {
    const folder = temporaryFolder();
    for (const part of ['train', 'val', 'validation', 'Training']) {
      for (const name of ['cat', 'dog']) writeImage(10, folder, part, name, 'a.ppm');
    }
    const { validation, test, notes } = await openDataset(folder);
    expect([validation!.size, test]).toEqual([2, undefined]);
    expect(notes).toEqual([
      expect.stringMatching(/: not used: the training part is /),
      expect.stringMatching(/: not used: the validation part is /),
    ]);
  });

  it('take a test part of class folders beside the class folders themselves', async () => {
    const folder = temporaryFolder();
    for (const name of ['cat', 'dog', 'test/cat', 'test/dog'])
      writeImage(10, folder, name, 'a.ppm');
    const { train, test } = await openDataset(folder);
    expect([train.classNames, test!.size]).toEqual([['cat', 'dog'], 2]);
  });

  it('refuse parts of different sizes, unless one is asked for', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'train.csv'), '0,1,1,1,1\n1,1,1,1,1\n');
    writeFileSync(join(folder, 'test.csv'), '0,1\n');
    const error = await errorOf(openDataset(folder, { classCount: 2 }));
    expect(error.message).toContain(
      'test.csv: images of 1×1×1 (height × width × channels), those of',
    );
    expect((await checkDataset(folder, { classCount: 2 })).problems).toEqual([error.message]);
    const sized = await openDataset(folder, { classCount: 2, imageSize: [2, 2] });
    expect(sized.test!.imageShape).toEqual([2, 2, 1]);
  });

  it('say in a check that there is nothing to train on', async () => {
    const folder = temporaryFolder();
    ways['class folders'](folder, 'test', 10);
    const { notes, isFine } = await checkDataset(folder);
    expect([isFine, notes]).toEqual([
      ...[true, [`${folder}: has no training part: it is for evaluation alone`]],
    ]);
    expect((await errorOf(openDataset(folder))).message).toContain(
      `${folder}: has no training part, only a test part`,
    );
  });
});
