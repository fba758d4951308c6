import { describe, expect, it } from 'vitest';
import {
  dropoutMask,
  normalPairFromBits,
  philox4x32,
  randomBits,
  randomNormal,
  randomTruncatedNormal,
  randomUniform,
  uniformFromBits,
} from '../src/reference/philox.js';

const state = { seed: 7, stream: 1, draw: 0 };
const COUNT = 20_000;

/** Mean, variance, and the mean of the products of neighbours. */
function moments(values: Float64Array) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  const neighbours = values
    .slice(1)
    .reduce((sum, v, i) => sum + (v - mean) * (values[i] - mean), 0);
  return { mean, variance, correlation: neighbours / values.length / variance };
}

describe('philox4x32', () => {
  // known answers published with the authors' own implementation
  it.each([
    {
      counter: [0, 0, 0, 0],
      key: [0, 0],
      words: [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
    },
    {
      counter: [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      key: [0xffffffff, 0xffffffff],
      words: [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    },
    {
      counter: [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      key: [0xa4093822, 0x299f31d0],
      words: [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    },
  ])('counter $counter, key $key', ({ counter, key, words }) => {
    expect(philox4x32(counter, key)).toEqual(words);
  });

  it('numbers elements by block and word, and depends on seed, stream and draw', () => {
    const bits = randomBits(10, { seed: 3, stream: 5, draw: 9 });
    expect([...bits.slice(4, 8)]).toEqual(philox4x32([1, 0, 9, 0], [3, 5]));
    expect([...bits.slice(8)]).toEqual(philox4x32([2, 0, 9, 0], [3, 5]).slice(0, 2));
    const others = [
      { seed: 4, stream: 5, draw: 9 },
      { seed: 3, stream: 6, draw: 9 },
      { seed: 3, stream: 5, draw: 10 },
    ].map((other) => [...randomBits(10, other)]);
    for (const other of others) expect(other).not.toEqual([...bits]);
  });
});

describe('distributions', () => {
  it('maps bits to [0, 1) in steps float32 holds', () => {
    expect(uniformFromBits(0)).toBe(0);
    expect(uniformFromBits(0xff)).toBe(0);
    expect(uniformFromBits(0xffffffff)).toBe(1 - 2 ** -24);
    expect(uniformFromBits(0x80000000)).toBe(0.5);
  });

  it('keeps Box–Muller finite at both ends', () => {
    // radius 0 at u = 0; the largest radius is √(−2 ln 2⁻²⁴) = 5.768
    expect(normalPairFromBits(0, 0)[0]).toBeCloseTo(0, 12);
    expect(normalPairFromBits(0xffffffff, 0)[0]).toBeCloseTo(Math.sqrt(48 * Math.LN2), 12);
    // a quarter turn puts everything into the second number
    const [first, second] = normalPairFromBits(0x80000000, 0x40000000);
    expect(first).toBeCloseTo(0, 12);
    expect(second).toBeCloseTo(Math.sqrt(2 * Math.LN2), 12);
  });

  // bounds of five standard errors for 20,000 numbers
  it('draws uniform numbers', () => {
    const values = randomUniform(COUNT, state);
    const { mean, variance, correlation } = moments(values);
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.0103);
    expect(Math.abs(variance - 1 / 12)).toBeLessThan(0.0027);
    expect(Math.abs(correlation)).toBeLessThan(0.036);
    expect(values.every((value) => value >= 0 && value < 1)).toBe(true);
  });

  it('draws normal numbers', () => {
    const { mean, variance, correlation } = moments(randomNormal(COUNT, state));
    expect(Math.abs(mean)).toBeLessThan(0.036);
    expect(Math.abs(variance - 1)).toBeLessThan(0.05);
    expect(Math.abs(correlation)).toBeLessThan(0.036);
  });

  it('draws truncated normal numbers: redrawn, not clamped', () => {
    const values = randomTruncatedNormal(COUNT, state);
    expect(values.every((value) => Math.abs(value) < 2)).toBe(true);
    const { mean, variance } = moments(values);
    // variance of a normal cut at ±2: 1 − 4·φ(2)/(2Φ(2) − 1) = 0.7737
    expect(Math.abs(mean)).toBeLessThan(0.032);
    expect(Math.abs(variance - 0.7737)).toBeLessThan(0.03);
    // numbers inside the bound are those of the plain draw
    const plain = randomNormal(COUNT, state);
    plain.forEach((value, i) => {
      if (Math.abs(value) <= 2) expect(values[i]).toBe(value);
    });
  });

  it('drops the share of elements that rate says', () => {
    const kept = dropoutMask(COUNT, 0.3, state).reduce((sum, value) => sum + value, 0) / COUNT;
    expect(Math.abs(kept - 0.7)).toBeLessThan(0.0163);
    expect(dropoutMask(100, 0, state).every((value) => value === 1)).toBe(true);
  });
});
