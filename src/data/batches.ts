/** Batches of a data set, read ahead of whoever trains on them. */
import { DataError, UsageError } from '../errors.js';
import type { ImageDataset } from './dataset.js';
import { permutation, RandomPurpose } from './random.js';

/** Some examples of a data set: `images` is [size, H, W, C], `indices` says which they are. */
export interface Batch {
  images: Uint8Array;
  labels: Int32Array;
  indices: Int32Array;
  size: number;
}

export interface BatchOptions {
  /** Examples in a batch; the last one has the rest. */
  batchSize: number;
  /** Shuffled anew for each epoch, the same way for the same seed and epoch. Without it, in order. */
  shuffle?: { seed: number; epoch: number };
  /** Leaves out a last batch that is not full. */
  dropLast?: boolean;
  /** Batches read ahead of the one in use; 0 reads each when it is asked for. Default 2. */
  prefetch?: number;
  /** The batch to begin with, for a run that is resumed in the middle of an epoch. Default 0. */
  start?: number;
}

function wholeNumber(name: string, value: number, least: number): number {
  if (Number.isInteger(value) && value >= least) return value;
  throw new UsageError(`batches: ${name} must be a whole number ≥ ${least}, got ${value}`);
}

/** How many batches one pass over `size` examples has. */
export function batchCount(size: number, batchSize: number, dropLast = false): number {
  return dropLast ? Math.floor(size / batchSize) : Math.ceil(size / batchSize);
}

/**
 * One pass over a data set in batches.
 *
 * The order depends on seed and epoch alone, whatever ran before; `start: k` gives exactly the
 * batches k, k+1, … of the full pass. Errors of a read come out of the iteration that would have
 * returned the batch.
 *
 * @throws UsageError for a batch size, prefetch or start that is no such number
 * @throws DataError for a data set without examples, or one that dropLast leaves without a batch
 *
 * @example
 * for await (const batch of batches(train, { batchSize: 64, shuffle: { seed: 1, epoch: 0 } })) {
 *   // batch.images: batch.size · H · W · C bytes
 * }
 */
export function batches(dataset: ImageDataset, options: BatchOptions): AsyncIterable<Batch> {
  const batchSize = wholeNumber('batchSize', options.batchSize, 1);
  const prefetch = wholeNumber('prefetch', options.prefetch ?? 2, 0);
  const start = wholeNumber('start', options.start ?? 0, 0);
  if (dataset.size === 0) throw new DataError(`batches: ${dataset.name} has no examples`);
  const count = batchCount(dataset.size, batchSize, options.dropLast);
  if (count === 0) {
    throw new DataError(
      `batches: leaving out what is not a full batch leaves none of ${dataset.name}: ${dataset.size} examples,` +
        ` in batches of ${batchSize}`,
      {
        program: `lower batchSize to at most ${dataset.size}`,
        commandLine: `lower --batch-size to at most ${dataset.size}, or leave out --drop-last`,
      },
    );
  }
  if (start > count) {
    throw new UsageError(`batches: start is batch ${start}, but one pass has ${count} batches`);
  }
  const { shuffle } = options;
  const order = shuffle
    ? permutation(dataset.size, shuffle.seed, RandomPurpose.shuffle, shuffle.epoch)
    : Int32Array.from({ length: dataset.size }, (_, index) => index);

  const load = async (batch: number): Promise<Batch> => {
    const indices = order.slice(batch * batchSize, (batch + 1) * batchSize);
    const labels = indices.map((index) => dataset.labels[index]);
    return { images: await dataset.read(indices), labels, indices, size: indices.length };
  };
  return { [Symbol.asyncIterator]: () => readAhead(start, count, prefetch, load) };
}

async function* readAhead(
  start: number,
  count: number,
  prefetch: number,
  load: (batch: number) => Promise<Batch>,
): AsyncGenerator<Batch> {
  const ahead: Promise<Batch>[] = [];
  let next = start;
  try {
    for (let batch = start; batch < count; batch++) {
      while (next < count && next <= batch + prefetch) {
        const loading = load(next++);
        // A read that fails ahead of its turn is reported when its turn comes, not as unhandled.
        loading.catch(() => {});
        ahead.push(loading);
      }
      yield await ahead.shift()!;
    }
  } finally {
    // The caller may close the data set after leaving the loop early: wait for pending reads first.
    await Promise.allSettled(ahead);
  }
}
