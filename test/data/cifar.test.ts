import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openDataset } from '../../src/data/open/open.js';
import { DataError } from '../../src/errors.js';
import { errorOf, temporaryFolder } from './helpers.js';

/** A record whose red, green and blue planes are r, g and b plus the column. */
function record(label: number[], [r, g, b]: number[]): Buffer {
  const planes = [r, g, b].flatMap((value) =>
    Array.from({ length: 1024 }, (_, pixel) => value + (pixel % 32)),
  );
  return Buffer.from([...label, ...planes]);
}

/** The red, green and blue plane of an image, as `record` has them. */
function planes(colour: number[]): number[] {
  return [...record([], colour)];
}

type Batch = Record<string, number[] | string[] | number[][]>;

/** A dictionary as Python 2 pickled it (protocol 2): strings are bytes, a matrix is a NumPy array. */
function pickled(batch: Batch): Buffer {
  const text = (value: string): Buffer =>
    Buffer.concat([Buffer.from(['U'.charCodeAt(0), value.length]), Buffer.from(value)]);
  const number = (value: number): Buffer => {
    const bytes = Buffer.from('J\0\0\0\0');
    bytes.writeInt32LE(value, 1);
    return bytes;
  };
  const code = (value: string): Buffer => Buffer.from(value, 'latin1');
  const list = (values: Buffer[]): Buffer => Buffer.concat([code(']q\x02('), ...values, code('e')]);
  const matrix = (rows: number[][]): Buffer => {
    const size = Buffer.alloc(4);
    size.writeUInt32LE(rows.flat().length);
    return Buffer.concat([
      code(
        'cnumpy.core.multiarray\n_reconstruct\nq\x03cnumpy\nndarray\nK\x00\x85U\x01b\x87R(K\x01',
      ),
      ...[number(rows.length), number(rows[0].length), code('\x86')],
      code('cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffK\x00tb\x89T'),
      ...[size, Buffer.from(rows.flat()), code('tb')],
    ]);
  };
  const saved = (values: Batch[string]): Buffer => {
    if (Array.isArray(values[0])) return matrix(values as number[][]);
    return list(
      values.map((value) => (typeof value === 'string' ? text(value) : number(value as number))),
    );
  };
  const items = Object.entries(batch).flatMap(([key, values]) => [text(key), saved(values)]);
  return Buffer.concat([code('\x80\x02}q\x01('), ...items, code('u.')]);
}

describe('CIFAR', () => {
  it('opens CIFAR-100 by its fine labels, planes turned into pixels', async () => {
    const folder = temporaryFolder();
    const inside = join(folder, 'cifar-100-binary');
    mkdirSync(inside);
    writeFileSync(
      join(inside, 'train.bin'),
      Buffer.concat([record([3, 98], [1, 50, 100]), record([0, 4], [2, 3, 4])]),
    );
    const { train, test } = await openDataset(folder);
    expect([train.size, train.imageShape, test]).toEqual([2, [32, 32, 3], undefined]);
    expect([...train.labels]).toEqual([98, 4]);
    const image = await train.read([0]);
    expect([...image.subarray(0, 6)]).toEqual([1, 50, 100, 2, 51, 101]);
    expect([...image.subarray(32 * 3, 32 * 3 + 3)]).toEqual([1, 50, 100]);
    expect(train.classNames[4]).toBe('4');
    const names = Array.from({ length: 100 }, (_, index) => `kind${index}`);
    writeFileSync(join(inside, 'fine_label_names.txt'), `${names.join('\n')}\n\n`);
    writeFileSync(join(inside, 'test.bin'), record([0, 7], [0, 0, 0]));
    const both = await openDataset(inside);
    expect(both.train.classNames[4]).toBe('kind4');
    expect([...both.test!.labels]).toEqual([7]);
  });

  it('opens CIFAR-10 from its five files', async () => {
    const folder = temporaryFolder();
    for (const part of [1, 2, 3, 4, 5]) {
      writeFileSync(join(folder, `data_batch_${part}.bin`), record([part], [part, 0, 0]));
    }
    const { train } = await openDataset(folder);
    expect([...train.labels]).toEqual([1, 2, 3, 4, 5]);
    expect((await train.read([2]))[0]).toBe(3);
  });

  it('opens the Python version of both', async () => {
    const folder = temporaryFolder();
    const ten = join(folder, 'cifar-10-batches-py');
    mkdirSync(ten);
    for (const part of [1, 2, 3, 4, 5]) {
      const batch = { data: [planes([part, 50, 100])], labels: [part] };
      writeFileSync(join(ten, `data_batch_${part}`), pickled(batch));
    }
    const two = { data: [planes([7, 8, 9]), planes([9, 8, 7])], labels: [0, 9] };
    writeFileSync(join(ten, 'test_batch'), pickled(two));
    const names = Array.from({ length: 10 }, (_, index) => `kind${index}`);
    writeFileSync(join(ten, 'batches.meta'), pickled({ label_names: names }));
    for (const place of [folder, ten]) {
      const { train, test } = await openDataset(place);
      expect([[...train.labels], [...test!.labels]]).toEqual([
        [1, 2, 3, 4, 5],
        [0, 9],
      ]);
      expect(train.classNames).toEqual(names);
      expect([...(await train.read([1])).subarray(0, 6)]).toEqual([2, 50, 100, 3, 51, 101]);
    }
    const hundred = join(temporaryFolder(), 'cifar-100-python');
    mkdirSync(hundred);
    for (const part of ['train', 'test']) {
      const batch = { data: [planes([1, 2, 3])], coarse_labels: [3], fine_labels: [98] };
      writeFileSync(join(hundred, part), pickled(batch));
    }
    writeFileSync(join(hundred, 'meta'), pickled({ fine_label_names: [] }));
    const { train } = await openDataset(hundred);
    expect([[...train.labels], train.classNames.length]).toEqual([[98], 100]);
  });

  it('takes nothing else from a pickle', async () => {
    const folder = temporaryFolder();
    const file = join(folder, 'data_batch_1');
    const whole = pickled({ data: [planes([1, 2, 3])], labels: [1] });
    const cases: [Buffer, string][] = [
      [Buffer.from('cos\nsystem\n(X\x02\0\0\0lstR.', 'latin1'), "it asks for 'os system'"],
      [whole.subarray(0, 900), 'it is truncated'],
      [Buffer.from('hello'), 'nothing is kept as 101'],
      [Buffer.from('\x80\x02e.', 'latin1'), 'a mark is missing'],
      [Buffer.from('\x80\x02.', 'latin1'), 'a value is missing'],
      [Buffer.from('\x80\x02}.', 'latin1'), "expected a pickled dictionary with 'data' [N, 3072]"],
      [pickled({ data: [[1, 2]], labels: [1] }), "expected a pickled dictionary with 'data'"],
      [pickled({ data: [planes([1, 2, 3])], labels: [1, 2] }), '1 images, but 2 labels'],
    ];
    for (const [bytes, message] of cases) {
      writeFileSync(file, bytes);
      const error = await errorOf(openDataset(folder));
      expect(error).toBeInstanceOf(DataError);
      expect(error.message).toContain(`${file}: `);
      expect(error.message).toContain(message);
    }
  });

  it('refuses missing, truncated and mislabelled files', async () => {
    const folder = temporaryFolder();
    const first = join(folder, 'data_batch_1.bin');
    writeFileSync(first, record([1], [1, 1, 1]));
    expect((await errorOf(openDataset(folder))).message).toBe(
      `${join(folder, 'data_batch_2.bin')}: cifar10 needs this file, which is not there\n` +
        'fix: unpack the whole archive',
    );
    writeFileSync(first, Buffer.concat([record([1], [1, 1, 1]), Buffer.alloc(100)]));
    expect((await errorOf(openDataset(folder))).message).toBe(
      `${first}: truncated or foreign: expected records of 3073 bytes, got 1 of them and 100 bytes` +
        ' more\nfix: unpack the archive again',
    );
    writeFileSync(first, record([10], [1, 1, 1]));
    expect((await errorOf(openDataset(folder))).message).toContain(
      `${first}: label 10 of record 0 is outside 0..9 (10 classes)`,
    );
    writeFileSync(join(folder, 'train.bin'), record([1, 100], [1, 1, 1]));
    writeFileSync(join(folder, 'batches.meta.txt'), 'cat\ndog\n');
    for (const part of [1, 2, 3, 4, 5]) {
      writeFileSync(join(folder, `data_batch_${part}.bin`), record([part], [part, 0, 0]));
    }
    expect((await errorOf(openDataset(folder))).message).toContain(
      'batches.meta.txt: expected 10 class names, got 2',
    );
  });
});
