import { describe, expect, it } from 'vitest';
import { MemoryDataset, type ImageDataset } from '../../src/data/dataset.js';
import { limit, split, subset } from '../../src/data/split.js';
import { DataError, UsageError } from '../../src/errors.js';
import { countingDataset } from './helpers.js';

async function members(dataset: ImageDataset): Promise<number[]> {
  return [...(await dataset.read(Array.from({ length: dataset.size }, (_, i) => i)))];
}

function perClass(dataset: ImageDataset): number[] {
  const counts = dataset.classNames.map(() => 0);
  for (const label of dataset.labels) counts[label]++;
  return counts;
}

describe('subset', () => {
  it('is the chosen examples in the chosen order', async () => {
    const part = subset(countingDataset(10, 2, [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]), [7, 2, 3]);
    expect(part.size).toBe(3);
    expect(await members(part)).toEqual([7, 2, 3]);
    expect([...part.labels]).toEqual([1, 0, 1]);
    expect([...part.groups!]).toEqual([3, 1, 1]);
    expect(part.describe!(0)).toBe('counting #7');
  });

  it('refuses an index outside', async () => {
    expect(() => subset(countingDataset(10), [10])).toThrow(
      'counting: index 10 is outside 0..9 (10 examples)',
    );
    await expect(subset(countingDataset(10), [1, 2]).read([2])).rejects.toThrow(
      'counting: index 2 is outside 0..1 (2 examples)',
    );
  });
});

describe('split', () => {
  it('gives each example to one part, alike for one seed', async () => {
    const { train, validation } = split(countingDataset(50), { fraction: 0.2, seed: 1 });
    expect([train.size, validation.size]).toEqual([40, 10]);
    const all = [...(await members(train)), ...(await members(validation))];
    expect(all.sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i));
    const again = split(countingDataset(50), { fraction: 0.2, seed: 1 });
    expect(await members(again.validation)).toEqual(await members(validation));
    const other = split(countingDataset(50), { fraction: 0.2, seed: 2 });
    expect(await members(other.validation)).not.toEqual(await members(validation));
  });

  it('takes counts, and leaves out what is over', () => {
    const { train, validation } = split(countingDataset(50), {
      counts: { train: 12, validation: 5 },
      seed: 1,
    });
    expect([train.size, validation.size]).toEqual([12, 5]);
  });

  it('keeps the share of each class when stratified', () => {
    const data = countingDataset(100, 3); // 34, 33, 33
    const { train, validation } = split(data, { fraction: 0.1, seed: 1, stratified: true });
    expect(perClass(validation).sort()).toEqual([3, 3, 4]);
    expect(perClass(train).sort()).toEqual([30, 30, 30]);
  });

  it('keeps groups whole', () => {
    const groups = Array.from(
      { length: 60 },
      (_, index) => Math.floor(index / 6) * 2 + (index % 2),
    );
    for (const stratified of [false, true]) {
      const { train, validation } = split(countingDataset(60, 2, groups), {
        fraction: 0.2,
        seed: 5,
        stratified,
        byGroup: true,
      });
      expect(train.size + validation.size).toBe(60);
      expect(validation.size).toBe(12);
      const inTrain = new Set(train.groups);
      expect([...validation.groups!].filter((group) => inTrain.has(group))).toEqual([]);
      if (stratified) expect(perClass(validation)).toEqual([6, 6]);
    }
  });

  it('gives both parts a track of every class that has two, and the only track to training', () => {
    // Of class 0 twenty tracks, of class 1 seven, of class 2 a long and a short one, of class 3 one.
    const lengths = [...new Array<number>(27).fill(15), 40, 6, 15];
    const classOf = (track: number): number =>
      track < 20 ? 0 : track < 27 ? 1 : track < 29 ? 2 : 3;
    const groups = lengths.flatMap((length, track) => new Array<number>(length).fill(track));
    const data = new MemoryDataset({
      name: 'tracks',
      imageShape: [1, 1, 1],
      classNames: ['a', 'b', 'c', 'd'],
      labels: Int32Array.from(groups, classOf),
      images: new Uint8Array(groups.length),
      groups: Int32Array.from(groups),
    });
    for (const seed of [1, 2, 3]) {
      const options = { fraction: 0.05, seed, stratified: true, byGroup: true };
      const { train, validation } = split(data, options);
      // 5 % of 300, 105, 46 and 15 are 15, 5.25, 2.3 and 0.75.
      expect(perClass(validation)).toEqual([15, 15, 6, 0]);
      expect(perClass(train)).toEqual([285, 90, 40, 15]);
      const inTrain = new Set(train.groups);
      expect(validation.groups!.some((group) => inTrain.has(group))).toBe(false);
    }
    const half = split(data, { fraction: 0.9, seed: 1, stratified: true, byGroup: true });
    expect(perClass(half.train).every((count) => count > 0)).toBe(true);
    expect(perClass(half.validation)[3]).toBe(0);
  });

  it('meets sizes as nearly as whole groups allow', () => {
    const groups = Array.from({ length: 40 }, (_, index) => Math.floor(index / 10));
    const { train, validation } = split(countingDataset(40, 2, groups), {
      fraction: 0.3,
      seed: 5,
      byGroup: true,
    });
    expect([train.size, validation.size]).toEqual([30, 10]);
  });

  it.each([
    [{ fraction: 0 }, 'split: fraction must be more than 0 and less than 1, got 0'],
    [{ fraction: 1 }, 'split: fraction must be more than 0 and less than 1, got 1'],
    [{}, 'split: expected either fraction or counts'],
    [
      { counts: { train: 8, validation: 3 } },
      'split: counts must be whole numbers ≥ 1 that add up to at most 10 (the examples of' +
        ' counting), got train 8 and validation 3',
    ],
  ])('refuses %j', (options, text) => {
    const work = (): unknown => split(countingDataset(10), { ...options, seed: 1 });
    expect(work).toThrow(UsageError);
    expect(work).toThrow(text);
  });

  it('refuses groups there are none of, and parts that would be empty', () => {
    const plain = (): unknown =>
      split(countingDataset(10), { fraction: 0.5, seed: 1, byGroup: true });
    expect(plain).toThrow(DataError);
    expect(plain).toThrow(
      'split: there are no tracks to keep whole in counting\n' +
        'fix: name files TRACK_FRAME.ppm, or split without byGroup',
    );
    const one = countingDataset(10, 2, new Array<number>(10).fill(0));
    expect(() => split(one, { fraction: 0.2, seed: 1, byGroup: true })).toThrow(
      'split: the validation part of counting would be empty (10 examples, 1 groups, asked for 8' +
        ' for training and 2 for validation)',
    );
  });
});

describe('limit', () => {
  it('chooses the same examples for one seed, in their old order', async () => {
    const part = limit(countingDataset(50), 10, { seed: 1 });
    const chosen = await members(part);
    expect(chosen).toHaveLength(10);
    expect(chosen).toEqual([...chosen].sort((a, b) => a - b));
    expect(await members(limit(countingDataset(50), 10, { seed: 1 }))).toEqual(chosen);
    expect(await members(limit(countingDataset(50), 10, { seed: 2 }))).not.toEqual(chosen);
    expect(perClass(limit(countingDataset(50), 10, { seed: 1, stratified: true }))).toEqual([5, 5]);
  });

  it('leaves a data set that is small enough as it is', () => {
    const data = countingDataset(5);
    expect(limit(data, 9)).toBe(data);
    expect(() => limit(data, 0)).toThrow('limit: expected a whole number of examples ≥ 1, got 0');
  });
});
