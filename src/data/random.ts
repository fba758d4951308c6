/**
 * Random numbers of the data pipeline: shuffles, splits and the drawn data sets.
 *
 * The generator is Philox4x32-10, a keyed permutation of a 128-bit counter: number i of a stream is a
 * pure function of (seed, purpose, stream, i), so an order never depends on what was drawn before it,
 * and a resumed run sees the same numbers as an unbroken one.
 *
 * Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011,
 * section 3.3; the test checks the known answers published with it.
 */
import { UsageError } from '../errors.js';

/** One independent family of streams per use, so that two uses of one seed never share numbers. */
export const RandomPurpose = {
  shuffle: 1,
  split: 2,
  limit: 3,
  digits: 4,
  signs: 5,
  preview: 6,
} as const;

const MULTIPLIER_0 = 0xd2511f53;
const MULTIPLIER_1 = 0xcd9e8d57;
const WEYL_0 = 0x9e3779b9;
const WEYL_1 = 0xbb67ae85;

/** High 32 bits of the 64-bit product of two unsigned 32-bit integers. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const carry = aLow * bHigh + (middle & 0xffff);
  return (aHigh * bHigh + Math.floor(middle / 65536) + Math.floor(carry / 65536)) >>> 0;
}

/** Ten rounds of Philox4x32: four counter words and two key words to four random words. */
export function philox4x32(
  counter: readonly [number, number, number, number],
  key: readonly [number, number],
): [number, number, number, number] {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < 10; round++) {
    const high0 = multiplyHigh(MULTIPLIER_0, c0);
    const low0 = Math.imul(MULTIPLIER_0, c0) >>> 0;
    const high1 = multiplyHigh(MULTIPLIER_1, c2);
    const low1 = Math.imul(MULTIPLIER_1, c2) >>> 0;
    [c0, c1, c2, c3] = [(high1 ^ c1 ^ k0) >>> 0, low1, (high0 ^ c3 ^ k1) >>> 0, low0];
    k0 = (k0 + WEYL_0) >>> 0;
    k1 = (k1 + WEYL_1) >>> 0;
  }
  return [c0, c1, c2, c3];
}

/**
 * A stream of random numbers.
 *
 * @example
 * new RandomStream(1, RandomPurpose.shuffle).shuffle([0, 1, 2, 3]) // the same order every time
 */
export class RandomStream {
  private readonly key: [number, number];
  private block = 0;
  private words: [number, number, number, number] = [0, 0, 0, 0];
  private used = 4;

  /**
   * @param seed a whole number from 0 to 2^53 - 1
   * @param purpose one of {@link RandomPurpose}
   * @param stream a whole number below 2^32: an epoch, or the index of a drawn picture
   */
  constructor(
    seed: number,
    private readonly purpose: number,
    private readonly stream = 0,
  ) {
    if (!Number.isSafeInteger(seed) || seed < 0) {
      throw new UsageError(
        `random: seed must be a whole number from 0 to 2^53 - 1, got ${seed}`,
        'pass for example seed 1',
      );
    }
    this.key = [seed >>> 0, Math.floor(seed / 2 ** 32)];
  }

  /** The next unsigned 32-bit integer. */
  next(): number {
    if (this.used === 4) {
      this.words = philox4x32([this.block++, this.stream >>> 0, 0, this.purpose], this.key);
      this.used = 0;
    }
    return this.words[this.used++];
  }

  /** Uniform in [low, high). */
  uniform(low = 0, high = 1): number {
    return low + (high - low) * (this.next() / 2 ** 32);
  }

  /** A whole number in [0, count), each equally likely. */
  integer(count: number): number {
    // 2^32 is rarely a multiple of count: draws from the incomplete last round would favour small values.
    const limit = Math.floor(2 ** 32 / count) * count;
    let drawn = this.next();
    while (drawn >= limit) drawn = this.next();
    return drawn % count;
  }

  /** Normal with mean 0 and standard deviation 1 (Box and Muller's transform). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /** One of the values, each equally likely. */
  pick<T>(values: readonly T[]): T {
    return values[this.integer(values.length)];
  }

  /** Puts the values in a random order, in place (Fisher and Yates), and returns them. */
  shuffle<T extends { length: number; [index: number]: unknown }>(values: T): T {
    for (let i = values.length - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      [values[i], values[j]] = [values[j], values[i]];
    }
    return values;
  }
}

/** The whole numbers 0 … count-1 in the random order of a seed and stream. */
export function permutation(
  count: number,
  seed: number,
  purpose: number = RandomPurpose.shuffle,
  stream = 0,
): Int32Array {
  const order = Int32Array.from({ length: count }, (_, index) => index);
  return new RandomStream(seed, purpose, stream).shuffle(order);
}
