import { describe, expect, it } from 'vitest';
import { permutation, philox4x32, RandomPurpose, RandomStream } from '../../src/data/random.js';

const hex = (words: number[]): string[] => words.map((w) => w.toString(16).padStart(8, '0'));

describe('philox4x32', () => {
  // The known answers published with the generator (Salmon et al. 2011).
  it.each([
    [
      [0, 0, 0, 0],
      [0, 0],
      ['6627e8d5', 'e169c58d', 'bc57ac4c', '9b00dbd8'],
    ],
    [
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      ['408f276d', '41c83b0e', 'a20bc7c6', '6d5451fd'],
    ],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      ['d16cfe09', '94fdcceb', '5001e420', '24126ea1'],
    ],
  ] as [[number, number, number, number], [number, number], string[]][])(
    'counter %j, key %j',
    (counter, key, answer) => {
      expect(hex(philox4x32(counter, key))).toEqual(answer);
    },
  );
});

describe('RandomStream', () => {
  it('repeats for the same seed, purpose and stream, and differs for any other', () => {
    const draw = (seed: number, purpose: number, stream: number): number[] => {
      const random = new RandomStream(seed, purpose, stream);
      return Array.from({ length: 6 }, () => random.next());
    };
    const one = draw(1, RandomPurpose.shuffle, 0);
    expect(draw(1, RandomPurpose.shuffle, 0)).toEqual(one);
    for (const other of [
      draw(2, RandomPurpose.shuffle, 0),
      draw(2 ** 32 + 1, RandomPurpose.shuffle, 0),
      draw(1, RandomPurpose.split, 0),
      draw(1, RandomPurpose.shuffle, 1),
    ]) {
      expect(other).not.toEqual(one);
    }
  });

  it('draws whole numbers evenly', () => {
    const random = new RandomStream(3, RandomPurpose.shuffle);
    const counts = new Array<number>(10).fill(0);
    for (let i = 0; i < 20000; i++) counts[random.integer(10)]++;
    // Four deviations of a binomial count (n 20000, p 0.1) are 170.
    for (const count of counts) expect(Math.abs(count - 2000)).toBeLessThan(170);
  });

  it('has uniform and normal numbers of the right mean and deviation', () => {
    const random = new RandomStream(4, RandomPurpose.shuffle);
    const moments = (draw: () => number): { mean: number; deviation: number } => {
      const values = Array.from({ length: 20000 }, draw);
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
      return { mean, deviation: Math.sqrt(squares / values.length) };
    };
    const uniform = moments(() => random.uniform(-1, 3));
    expect(uniform.mean).toBeCloseTo(1, 1);
    expect(uniform.deviation).toBeCloseTo(4 / Math.sqrt(12), 1);
    const normal = moments(() => random.normal());
    expect(normal.mean).toBeCloseTo(0, 1);
    expect(normal.deviation).toBeCloseTo(1, 1);
  });

  it.each([-1, 1.5, Number.NaN, 2 ** 53])('refuses seed %s', (seed) => {
    expect(() => new RandomStream(seed, RandomPurpose.shuffle)).toThrow(
      `random: seed must be a whole number from 0 to 2^53 - 1, got ${seed}`,
    );
  });
});

describe('permutation', () => {
  it('holds every number once, alike for one seed and stream', () => {
    const order = permutation(1000, 7);
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => i));
    expect([...order.subarray(0, 5)]).not.toEqual([0, 1, 2, 3, 4]);
    expect(permutation(1000, 7)).toEqual(order);
    expect(permutation(1000, 7, RandomPurpose.shuffle, 1)).not.toEqual(order);
  });
});
