import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { parseCsv } from '../../src/data/formats/csv.js';
import type { MemoryDataset } from '../../src/data/dataset.js';
import { openDataset } from '../../src/data/open/open.js';
import { DataError } from '../../src/errors.js';
import { errorOf, temporaryFolder } from './helpers.js';

const parse = (text: string): MemoryDataset => parseCsv(Buffer.from(text), 'data.csv', 'csv', 10);

describe('parseCsv', () => {
  it.each([
    ['plain', '5,0,1,2,255\n3,9,8,7,6\n'],
    ['no newline at the end', '5,0,1,2,255\n3,9,8,7,6'],
    ['a header', 'label,pixel0,pixel1,pixel2,pixel3\n5,0,1,2,255\n3,9,8,7,6\n'],
    ['a quoted header', '"label","a","b","c","d"\n5,0,1,2,255\n3,9,8,7,6\n'],
    ['Windows line ends', '5,0,1,2,255\r\n3,9,8,7,6\r\n'],
    ['blank lines and spaces', '\n5, 0, 1,2 ,255\n\n  \n 3,9,8,7,6 \n\n'],
    ['quoted numbers', '"5","0", "1","2","255"\n"3","9","8","7","6"\r\n'],
    [
      'a quoted header and quoted numbers',
      '"l","a","b","c","d"\n"5","0","1","2","255"\n3,9,8,7,6\n',
    ],
    ['floats without a fraction', '5.0,0.0,1.,2.000,255.0\n3,"9.0",8,7,6.0 \n'],
    ['a byte order mark', '\ufefflabel,a,b,c,d\n5,0,1,2,255\n3,9,8,7,6\n'],
  ])('reads %s', async (_, text) => {
    const data = parse(text);
    expect(data.imageShape).toEqual([2, 2, 1]);
    expect([...data.labels]).toEqual([5, 3]);
    expect([...(await data.read([0, 1]))]).toEqual([0, 1, 2, 255, 9, 8, 7, 6]);
  });

  it('remembers the line of each image', () => {
    expect(parse('h\n\n5,1\n\n3,2\n').describe(1)).toBe('data.csv:5');
  });

  it.each([
    ['5,0,1,2,256\n', "data.csv:1: pixel 4 must be a whole number from 0 to 255, got '256'"],
    ['5,0,1,2,3\n1,0,x,2,3\n', "data.csv:2: pixel 2 must be a whole number from 0 to 255, got 'x'"],
    ['a\n5,0,1.5,2,3\n', "data.csv:2: pixel 2 must be a whole number from 0 to 255, got '1.5'"],
    ['5,0,"1,2,3\n', `data.csv:1: pixel 2 must be a whole number from 0 to 255, got '"1'`],
    ['5,0,1",2,3\n', `data.csv:1: pixel 2 must be a whole number from 0 to 255, got '1"'`],
    ['5,0,1.01,2,3\n', "data.csv:1: pixel 2 must be a whole number from 0 to 255, got '1.01'"],
    ['5,0,-1,2,3\n', "data.csv:1: pixel 2 must be a whole number from 0 to 255, got '-1'"],
    ['5,0,,2,3\n', "data.csv:1: pixel 2 must be a whole number from 0 to 255, got ''"],
    ['5,0,1 1,2,3\n', "data.csv:1: pixel 2 must be a whole number from 0 to 255, got '1 1'"],
    ['5,0,1,2,99999\n', "data.csv:1: pixel 4 must be a whole number from 0 to 255, got '99999'"],
    [
      '5,0,1,2,3\n-1,0,1,2,3\n',
      "data.csv:2: the label must be a whole number from 0 to 255, got '-1'",
    ],
    ['5,0,1,2,3\n\n5,0,1,2\n', 'data.csv:3: expected 5 fields as in the first line, got 4'],
    ['5,0,1,2,3\n5,0,1,2,3,4\n', 'data.csv:2: expected 5 fields as in the first line, got 6'],
    ['5,0,1,2\n', 'data.csv:1: 4 fields: a label and 3 pixels, which make no square image'],
    ['5\n', 'data.csv:1: 1 fields: a label and 0 pixels, which make no square image'],
    ['5,1\n4,1\n10,1\n', 'data.csv: label 10 of line 3 is outside 0..9 (10 classes)'],
    ['', 'data.csv: the file is empty'],
    ['\n \n', 'data.csv: the file is empty'],
    ['label,pixel\n', 'data.csv: a header line and nothing else'],
  ])('refuses %j', (text, message) => {
    expect(() => parse(text)).toThrow(DataError);
    expect(() => parse(text)).toThrow(message);
  });
});

describe('CSV files', () => {
  it('open by name or by folder, gz or not', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, '60ktrain.csv.gz'), gzipSync('5,1\n4,2\n'));
    writeFileSync(join(folder, '10ktest.csv'), '3,9\n');
    const both = await openDataset(folder);
    expect([...both.train.labels]).toEqual([5, 4]);
    expect([...both.test!.labels]).toEqual([3]);
    const one = await openDataset(join(folder, '60ktrain.csv.gz'));
    expect([one.train.size, one.test]).toEqual([2, undefined]);
    expect(
      (await errorOf(openDataset(join(folder, '10ktest.csv'), { split: 'test' }))).message,
    ).toBe(
      `${join(folder, '10ktest.csv')}: has no test part\n` +
        'fix: name the folder of test images itself, or split the training part',
    );
  });

  it.each([
    ['latest_train.csv', 'latest_val.csv', 'latest_test.csv'],
    ['TRAIN.CSV', 'valid.csv', 'contest_test.csv'],
    ['latest.csv', 'mnist_validation.csv.gz', 'mnistTest.csv'],
  ])('are parts by a word in their names: %s, %s, %s', async (train, validation, test) => {
    const folder = temporaryFolder();
    const pack = (name: string, text: string): Buffer =>
      name.endsWith('.gz') ? gzipSync(text) : Buffer.from(text);
    for (const [mark, name] of [train, validation, test].entries()) {
      writeFileSync(join(folder, name), pack(name, `1,${mark}\n`.repeat(2 + mark)));
    }
    const opened = await openDataset(folder);
    expect(opened.train.size).toBe(2);
    expect(opened.validation!.size).toBe(3);
    expect(opened.test!.size).toBe(4);
  });

  it('that are no part are named', async () => {
    const folder = temporaryFolder();
    for (const name of ['train.csv', 'test.csv', 'latest.csv']) {
      writeFileSync(join(folder, name), '1,1\n');
    }
    const { test, notes } = await openDataset(folder, { classCount: 2 });
    expect(test!.size).toBe(1);
    expect(notes).toEqual([
      `${folder}: CSV files that are not used: latest.csv`,
      'train.csv: a class without images (0): its labels begin at 1',
    ]);
  });

  it('are refused where it is not clear which is meant, or when gz breaks off', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'a.csv'), '5,1\n');
    writeFileSync(join(folder, 'b.csv'), '5,1\n');
    expect((await errorOf(openDataset(folder))).message).toBe(
      `${folder}: expected one CSV file for the training part, got none among a.csv, b.csv\n` +
        `fix: name the file itself`,
    );
    const packed = gzipSync('5,1\n'.repeat(100));
    const file = join(folder, 'c.csv.gz');
    writeFileSync(file, packed.subarray(0, packed.length - 9));
    expect((await errorOf(openDataset(file))).message).toContain(
      `${file}: truncated: the gzip archive ends early, after`,
    );
  });
});
