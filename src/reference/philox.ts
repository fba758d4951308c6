/**
 * Counter-based random numbers: Philox4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2,
 * 3", SC'11). Four words of counter and two of key give four random words; no state is carried, so element i of a draw
 * can be made by any thread at any time. The GPU follows the conventions of this file word for word:
 *
 *     key     = [seed, stream]               one stream per purpose: init, shuffle, augmentation, dropout
 *     counter = [block, attempt, draw, 0]    block = ⌊i / 4⌋; attempt counts redraws, else 0; draw counts calls
 *     element i takes word i mod 4
 */

/** Where in the random sequence a draw is taken. All three are u32. */
export interface RandomState {
  seed: number;
  stream: number;
  draw: number;
}

const MULTIPLIER_0 = 0xd2511f53;
const MULTIPLIER_1 = 0xcd9e8d57;
/** Key increments: the golden ratio, and √3 − 1, as fractions of 2³². */
const WEYL_0 = 0x9e3779b9;
const WEYL_1 = 0xbb67ae85;
const ROUNDS = 10;

/** The 64-bit product of two u32, as [high, low]; 16-bit halves keep every step below 2⁵³. */
function multiplyWide(a: number, b: number): [number, number] {
  const [aHigh, aLow] = [a >>> 16, a & 0xffff];
  const [bHigh, bLow] = [b >>> 16, b & 0xffff];
  const middle = aHigh * bLow + aLow * bHigh + Math.floor((aLow * bLow) / 0x10000);
  return [(aHigh * bHigh + Math.floor(middle / 0x10000)) >>> 0, Math.imul(a, b) >>> 0];
}

/** Four random u32 for a counter of four u32 and a key of two. */
export function philox4x32(counter: readonly number[], key: readonly number[]): number[] {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < ROUNDS; round++) {
    const [high0, low0] = multiplyWide(MULTIPLIER_0, c0);
    const [high1, low1] = multiplyWide(MULTIPLIER_1, c2);
    [c0, c1, c2, c3] = [(high1 ^ c1 ^ k0) >>> 0, low1, (high0 ^ c3 ^ k1) >>> 0, low0];
    k0 = (k0 + WEYL_0) >>> 0;
    k1 = (k1 + WEYL_1) >>> 0;
  }
  return [c0, c1, c2, c3];
}

/** A u32 as a number in [0, 1): its upper 24 bits, which float32 holds exactly. */
export function uniformFromBits(bits: number): number {
  return (bits >>> 8) * 2 ** -24;
}

/** Two standard normals from two u32 (Box–Muller); 1 − u lies in (0, 1], so the logarithm is finite. */
export function normalPairFromBits(first: number, second: number): [number, number] {
  const radius = Math.sqrt(-2 * Math.log(1 - uniformFromBits(first)));
  const angle = 2 * Math.PI * uniformFromBits(second);
  return [radius * Math.cos(angle), radius * Math.sin(angle)];
}

/** The four words behind elements 4·block … 4·block + 3. */
function blockWords({ seed, stream, draw }: RandomState, block: number, attempt = 0): number[] {
  return philox4x32([block >>> 0, attempt, draw >>> 0, 0], [seed >>> 0, stream >>> 0]);
}

/** Element i of a normal draw: words 0 and 1 make elements 0 and 1 of the block, words 2 and 3 the others. */
function normalAt(state: RandomState, i: number, attempt = 0): number {
  const words = blockWords(state, Math.floor(i / 4), attempt);
  const pair =
    i % 4 < 2 ? normalPairFromBits(words[0], words[1]) : normalPairFromBits(words[2], words[3]);
  return pair[i % 2];
}

/** Random u32 words. */
export function randomBits(count: number, state: RandomState): Uint32Array {
  return Uint32Array.from({ length: count }, (_, i) => blockWords(state, Math.floor(i / 4))[i % 4]);
}

/** Uniform numbers in [0, 1), multiples of 2⁻²⁴. */
export function randomUniform(count: number, state: RandomState): Float64Array {
  return Float64Array.from(randomBits(count, state), uniformFromBits);
}

/** Standard normal numbers. */
export function randomNormal(count: number, state: RandomState): Float64Array {
  return Float64Array.from({ length: count }, (_, i) => normalAt(state, i));
}

/** Redraws before a truncated normal gives up; (4.55 %)⁸ = 2e-11 of the elements get that far. */
const TRUNCATED_ATTEMPTS = 8;
/** Truncated normals lie within this many standard deviations. */
const TRUNCATED_BOUND = 2;

/**
 * Standard normal numbers redrawn until |z| ≤ 2: attempt 0, 1, … 7 take the same element of the blocks whose counter
 * word 1 is the attempt. Should all eight lie outside, the last is clamped to ±2.
 */
export function randomTruncatedNormal(count: number, state: RandomState): Float64Array {
  return Float64Array.from({ length: count }, (_, i) => {
    let z = 0;
    for (let attempt = 0; attempt < TRUNCATED_ATTEMPTS; attempt++) {
      z = normalAt(state, i, attempt);
      if (Math.abs(z) <= TRUNCATED_BOUND) return z;
    }
    return Math.sign(z) * TRUNCATED_BOUND;
  });
}

/** Dropout's mask: 1 where the uniform number is at least `rate`, so an element is dropped with probability `rate`. */
export function dropoutMask(count: number, rate: number, state: RandomState): Float64Array {
  return randomUniform(count, state).map((u) => (u >= rate ? 1 : 0));
}
