import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openDataset } from '../../src/data/open.js';
import { errorOf, temporaryFolder } from './helpers.js';

/** A record whose red, green and blue planes are r, g and b plus the column. */
function record(label: number[], [r, g, b]: number[]): Buffer {
  const planes = [r, g, b].flatMap((value) =>
    Array.from({ length: 1024 }, (_, pixel) => value + (pixel % 32)),
  );
  return Buffer.from([...label, ...planes]);
}

describe('CIFAR binary', () => {
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
