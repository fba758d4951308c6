import { describe, expect, it } from 'vitest';
import { batchCount, batches, type Batch, type BatchOptions } from '../../src/data/batches.js';
import type { ImageDataset } from '../../src/data/dataset.js';
import { DataError, UsageError } from '../../src/errors.js';
import { countingDataset, errorOf } from './helpers.js';

async function collect(dataset: ImageDataset, options: BatchOptions): Promise<Batch[]> {
  const all: Batch[] = [];
  for await (const batch of batches(dataset, options)) all.push(batch);
  return all;
}
const indicesOf = (all: Batch[]): number[] => all.flatMap((batch) => [...batch.indices]);

describe('batches', () => {
  it('gives every example once, in order, with its pixels and label', async () => {
    const all = await collect(countingDataset(10), { batchSize: 4 });
    expect(all.map((batch) => batch.size)).toEqual([4, 4, 2]);
    expect(indicesOf(all)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect([...all[1].images]).toEqual([4, 5, 6, 7]);
    expect([...all[1].labels]).toEqual([0, 1, 0, 1]);
  });

  it('drops a last batch that is not full when asked to', async () => {
    const all = await collect(countingDataset(10), { batchSize: 4, dropLast: true });
    expect(all.map((batch) => batch.size)).toEqual([4, 4]);
    expect(batchCount(10, 4, true)).toBe(2);
    expect(batchCount(10, 4)).toBe(3);
  });

  it('shuffles alike for one seed and epoch, and anew for each epoch', async () => {
    const data = countingDataset(50);
    const pass = async (seed: number, epoch: number, prefetch = 2): Promise<number[]> =>
      indicesOf(await collect(data, { batchSize: 7, shuffle: { seed, epoch }, prefetch }));
    const first = await pass(1, 0);
    expect([...first].sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i));
    const second = await pass(1, 1);
    expect(second).not.toEqual(first);
    expect(await pass(2, 0)).not.toEqual(first);
    // In another order of passes and with another prefetch.
    expect(await pass(1, 1, 0)).toEqual(second);
    expect(await pass(1, 0, 5)).toEqual(first);
  });

  it('resumes at a batch with exactly the rest of the pass', async () => {
    const options = { batchSize: 7, shuffle: { seed: 1, epoch: 3 } };
    const whole = await collect(countingDataset(50), options);
    const rest = await collect(countingDataset(50), { ...options, start: 5 });
    expect(rest).toEqual(whole.slice(5));
    expect(await collect(countingDataset(50), { ...options, start: 8 })).toEqual([]);
  });

  it('reads ahead by as many batches as asked for', async () => {
    const data = countingDataset(12);
    let reads = 0;
    const watched: ImageDataset = {
      ...data,
      read: (indices) => {
        reads++;
        return data.read(indices);
      },
      close: () => data.close(),
    };
    const seen: number[] = [];
    for await (const batch of batches(watched, { batchSize: 2, prefetch: 2 })) {
      seen.push(reads);
      expect(batch.size).toBe(2);
    }
    expect(seen).toEqual([3, 4, 5, 6, 6, 6]);
  });

  it('raises the error of a read at its turn, after the batches before it', async () => {
    const data = countingDataset(8);
    const broken: ImageDataset = {
      ...data,
      read: (indices) =>
        indices[0] === 4
          ? Promise.reject(new DataError('picture 4 is broken'))
          : data.read(indices),
      close: () => data.close(),
    };
    const seen: number[] = [];
    const error = await errorOf(async () => {
      for await (const batch of batches(broken, { batchSize: 2, prefetch: 3 })) {
        seen.push(batch.indices[0]);
      }
    });
    expect(error.message).toBe('picture 4 is broken');
    expect(seen).toEqual([0, 2]);
  });

  it('waits for the reads under way when the loop is left', async () => {
    const data = countingDataset(8);
    let open = 0;
    const slow: ImageDataset = {
      ...data,
      read: async (indices) => {
        open++;
        await new Promise((resolve) => setTimeout(resolve, 10));
        open--;
        return data.read(indices);
      },
      close: () => data.close(),
    };
    for await (const batch of batches(slow, { batchSize: 2 })) {
      expect(batch.indices[0]).toBe(0);
      break;
    }
    expect(open).toBe(0);
  });

  it.each([
    [{ batchSize: 0 }, 'batches: batchSize must be a whole number ≥ 1, got 0'],
    [{ batchSize: 2.5 }, 'batches: batchSize must be a whole number ≥ 1, got 2.5'],
    [{ batchSize: 2, prefetch: -1 }, 'batches: prefetch must be a whole number ≥ 0, got -1'],
    [{ batchSize: 2, start: 1.5 }, 'batches: start must be a whole number ≥ 0, got 1.5'],
    [{ batchSize: 2, start: 6 }, 'batches: start is batch 6, but one pass has 5 batches'],
  ])('refuses %j', (options, text) => {
    const work = (): unknown => batches(countingDataset(10), options);
    expect(work).toThrow(UsageError);
    expect(work).toThrow(text);
  });

  it('refuses to make no batch at all', () => {
    expect(() => batches(countingDataset(3), { batchSize: 4, dropLast: true })).toThrow(
      'batches: leaving out what is not a full batch leaves none of counting: 3 examples, in batches of 4\n' +
        'fix: lower batchSize to at most 3',
    );
    const empty = { ...countingDataset(1), size: 0 } as unknown as ImageDataset;
    expect(() => batches(empty, { batchSize: 4 })).toThrow('batches: counting has no examples');
  });
});
