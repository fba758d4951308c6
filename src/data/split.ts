/** Parts of a data set: chosen examples, a training and a validation part, a smaller set. */
import { DataError, UsageError } from '../errors.js';
import { checkIndices, derived, type ImageDataset } from './dataset.js';
import { RandomPurpose, RandomStream } from './random.js';

/** The given examples of a data set, in the given order. Closing it closes the data set. */
export function subset(
  dataset: ImageDataset,
  indices: ArrayLike<number>,
  name = dataset.name,
): ImageDataset {
  checkIndices(dataset, indices);
  const chosen = Int32Array.from(indices);
  const original = (positions: ArrayLike<number>): Int32Array => {
    checkIndices(part, positions);
    return Int32Array.from(positions, (position) => chosen[position]);
  };
  const part = derived(dataset, {
    name,
    size: chosen.length,
    labels: chosen.map((index) => dataset.labels[index]),
    groups: dataset.groups && chosen.map((index) => dataset.groups![index]),
    read: async (positions) => dataset.read(original(positions)),
    describe: (position) => {
      const [index] = original([position]);
      return dataset.describe?.(index) ?? `${dataset.name} #${index}`;
    },
  });
  return part;
}

export interface SplitOptions {
  /** The share of the examples that goes to validation, more than 0 and less than 1. */
  fraction?: number;
  /** Or how many examples go to either part; those over both are left out. */
  counts?: { train: number; validation: number };
  seed: number;
  /** Each class is split in the same proportion. */
  stratified?: boolean;
  /**
   * Groups (tracks) go to one part as a whole; sizes are met as nearly as whole groups allow. With
   * `stratified` both parts get a group of every class that has two.
   */
  byGroup?: boolean;
}

/**
 * A training and a validation part, chosen at random but always alike for one seed. Within a part the
 * examples keep their order.
 *
 * @throws UsageError for a fraction or counts that are no such numbers
 * @throws DataError if a part would be empty, and for byGroup without groups
 *
 * @example
 * const { train, validation } = split(data, { fraction: 0.2, seed: 1, stratified: true });
 */
export function split(
  dataset: ImageDataset,
  options: SplitOptions,
): { train: ImageDataset; validation: ImageDataset } {
  const counts = partCounts(dataset, options);
  const groups = options.byGroup ? requireGroups(dataset) : undefined;
  const random = new RandomStream(options.seed, RandomPurpose.split);
  const pools = shuffledPools(dataset, options.stratified === true, groups, random);
  const isShared = options.stratified === true && groups !== undefined;
  const validation = take(pools, counts.validation, isShared);
  // Whole groups meet the validation share only nearly: with a fraction, training gets all the rest.
  const train = take(pools, options.counts ? counts.train : Infinity);
  for (const [part, indices] of Object.entries({ train, validation })) {
    if (indices.length > 0) continue;
    throw new DataError(
      `split: the ${part} part of ${dataset.name} would be empty (${dataset.size} examples` +
        `${groups ? `, ${new Set(groups).size} groups` : ''}, asked for ${counts.train} for training` +
        ` and ${counts.validation} for validation)`,
      {
        program: 'choose another fraction or take more examples',
        commandLine: 'choose another --validation-share or take more images',
      },
    );
  }
  return {
    train: subset(dataset, train, `${dataset.name}, training part`),
    validation: subset(dataset, validation, `${dataset.name}, validation part`),
  };
}

/**
 * `count` examples chosen at random, always the same ones for one seed; in their old order.
 *
 * @throws UsageError if count is not a whole number from 1 on
 */
export function limit(
  dataset: ImageDataset,
  count: number,
  { seed = 1, stratified = false }: { seed?: number; stratified?: boolean } = {},
): ImageDataset {
  if (!Number.isInteger(count) || count < 1) {
    throw new UsageError(`limit: expected a whole number of examples ≥ 1, got ${count}`);
  }
  if (count >= dataset.size) return dataset;
  const random = new RandomStream(seed, RandomPurpose.limit);
  return subset(dataset, take(shuffledPools(dataset, stratified, undefined, random), count));
}

function partCounts(
  dataset: ImageDataset,
  { fraction, counts }: SplitOptions,
): { train: number; validation: number } {
  if ((fraction === undefined) === (counts === undefined)) {
    throw new UsageError('split: expected either fraction or counts');
  }
  if (fraction !== undefined) {
    if (!(fraction > 0 && fraction < 1)) {
      throw new UsageError(
        `split: fraction must be more than 0 and less than 1, got ${fraction}`,
        'it is the share of validation, for example 0.2',
      );
    }
    const validation = Math.round(dataset.size * fraction);
    return { train: dataset.size - validation, validation };
  }
  const { train, validation } = counts!;
  const isCount = (value: number): boolean => Number.isInteger(value) && value >= 1;
  if (!isCount(train) || !isCount(validation) || train + validation > dataset.size) {
    throw new UsageError(
      `split: counts must be whole numbers ≥ 1 that add up to at most ${dataset.size}` +
        ` (the examples of ${dataset.name}), got train ${train} and validation ${validation}`,
    );
  }
  return { train, validation };
}

function requireGroups(dataset: ImageDataset): Int32Array {
  if (dataset.groups) return dataset.groups;
  throw new DataError(`split: there are no tracks to keep whole in ${dataset.name}`, {
    program: 'name files TRACK_FRAME.ppm, or split without byGroup',
    commandLine: 'name files TRACK_FRAME.ppm, or pass --split stratified',
  });
}

/** What is still to be given out of one class (or of the whole data set), in random order. */
interface Pool {
  /** Indivisible lots of examples: groups, or single ones. */
  lots: number[][];
  left: number;
}

function shuffledPools(
  dataset: ImageDataset,
  isStratified: boolean,
  groups: Int32Array | undefined,
  random: RandomStream,
): Pool[] {
  const lots = new Map<number, number[]>();
  for (let index = 0; index < dataset.size; index++) {
    const key = groups ? groups[index] : index;
    const lot = lots.get(key);
    if (lot) lot.push(index);
    else lots.set(key, [index]);
  }
  const pools = new Map<number, Pool>();
  for (const lot of lots.values()) {
    // A group of several classes counts as one of the class of its first example.
    const key = isStratified ? dataset.labels[lot[0]] : 0;
    const pool = pools.get(key) ?? { lots: [], left: 0 };
    pool.lots.push(lot);
    pool.left += lot.length;
    pools.set(key, pool);
  }
  const sorted = [...pools.entries()].sort(([a], [b]) => a - b).map(([, pool]) => pool);
  for (const pool of sorted) random.shuffle(pool.lots);
  return sorted;
}

/**
 * Takes `count` examples out of the pools, from each in proportion to what it has left. With `isShared`
 * each pool that has two lots gives at least one and keeps at least one, and the only lot of a pool
 * stays.
 */
function take(pools: Pool[], count: number, isShared = false): number[] {
  const total = pools.reduce((sum, pool) => sum + pool.left, 0);
  const shares = apportion(
    pools.map((pool) => pool.left),
    Math.min(count, total),
  );
  const taken: number[] = [];
  const give = (pool: Pool, position: number): number => {
    const [lot] = pool.lots.splice(position, 1);
    taken.push(...lot);
    pool.left -= lot.length;
    return lot.length;
  };
  pools.forEach((pool, index) => {
    let missing = shares[index];
    let given = 0;
    const least = isShared ? 1 : 0;
    // A lot that overshoots by more than what is missing without it stays where it is.
    while (pool.lots.length > least && pool.lots[0].length - missing <= missing && missing > 0) {
      missing -= give(pool, 0);
      given++;
    }
    if (given >= least || missing === 0 || pool.lots.length <= least) return;
    const sizes = pool.lots.map((lot) => lot.length);
    give(pool, sizes.indexOf(Math.min(...sizes)));
  });
  return taken.sort((a, b) => a - b);
}

/** Whole-number shares of `count` in proportion to the sizes (largest remainders first). */
function apportion(sizes: number[], count: number): number[] {
  const total = sizes.reduce((sum, size) => sum + size, 0);
  if (total === 0) return sizes.map(() => 0);
  const exact = sizes.map((size) => (size * count) / total);
  const shares = exact.map(Math.floor);
  const missing = count - shares.reduce((sum, share) => sum + share, 0);
  exact
    .map((value, index) => ({ index, rest: value - Math.floor(value) }))
    .sort((a, b) => b.rest - a.rest || a.index - b.index)
    .slice(0, missing)
    .forEach(({ index }) => shares[index]++);
  return shares;
}
