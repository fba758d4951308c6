import { describe, expect, it } from 'vitest';
import { ShapeError } from '../../src/errors.js';
import { Conv2d, Dense, DepthwiseConv2d, init } from '../../src/nn/index.js';
import type { Tensor } from '../../src/tensor.js';
import { testDevice } from '../helpers/device.js';

const device = await testDevice();
/** 3×3 filters of 64 → 128 channels: 73,728 values, fan in 576, fan out 1152. */
const shape = [3, 3, 64, 128];

async function momentsOf(make: init.Initializer): Promise<{
  mean: number;
  deviation: number;
  low: number;
  high: number;
}> {
  const values = [...(await make(device, shape).data())];
  const mean = values.reduce((sum, each) => sum + each, 0) / values.length;
  const square = values.reduce((sum, each) => sum + (each - mean) ** 2, 0);
  const sorted = Float32Array.from(values).sort();
  return {
    mean,
    deviation: Math.sqrt(square / values.length),
    low: sorted[0],
    high: sorted[sorted.length - 1],
  };
}

async function largest(tensor: Tensor): Promise<number> {
  return Math.max(...Array.from(await tensor.data(), Math.abs));
}

/*
 * Of n = 73,728 draws the mean strays by deviation / √n = 0.0037 deviations and the deviation by
 * about 0.0026 of itself; five times that is allowed.
 */
const cases: {
  title: string;
  make: init.Initializer;
  mean: number;
  deviation: number;
  bound?: number;
}[] = [
  {
    title: 'glorotUniform: ±√(6 / 1728)',
    make: init.glorotUniform(),
    ...{ mean: 0, deviation: Math.sqrt(2 / 1728), bound: Math.sqrt(6 / 1728) },
  },
  {
    title: 'heUniform: ±√(6 / 576)',
    make: init.heUniform(),
    ...{ mean: 0, deviation: Math.sqrt(2 / 576), bound: Math.sqrt(6 / 576) },
  },
  {
    title: 'heNormal: variance 2 / 576',
    make: init.heNormal(),
    ...{ mean: 0, deviation: Math.sqrt(2 / 576) },
  },
  {
    title: 'heNormal of fan out: variance 2 / 1152',
    make: init.heNormal({ mode: 'fanOut' }),
    ...{ mean: 0, deviation: Math.sqrt(2 / 1152) },
  },
  {
    // Between ±2σ a normal has the variance 1 − 4·φ(2) / (Φ(2) − Φ(−2)) = 0.77374 σ².
    title: 'truncatedNormal: cut at two deviations',
    make: init.truncatedNormal({ standardDeviation: 0.1 }),
    ...{ mean: 0, deviation: 0.1 * Math.sqrt(0.7737413), bound: 0.2 },
  },
  {
    title: 'normal: mean 3, deviation 0.5',
    make: init.normal({ mean: 3, standardDeviation: 0.5 }),
    ...{ mean: 3, deviation: 0.5 },
  },
];

describe('initial values', () => {
  it.each(cases)('$title', async ({ make, mean, deviation, bound }) => {
    const got = await momentsOf(make);
    expect(Math.abs(got.mean - mean)).toBeLessThan(0.0185 * deviation);
    expect(Math.abs(got.deviation / deviation - 1)).toBeLessThan(0.013);
    if (bound !== undefined) {
      expect(got.high).toBeLessThanOrEqual(bound * (1 + 2 ** -23));
      expect(got.low).toBeGreaterThanOrEqual(-bound * (1 + 2 ** -23));
      // Among so many draws some come near both ends.
      expect(got.high).toBeGreaterThan(0.98 * bound);
      expect(got.low).toBeLessThan(-0.98 * bound);
    } else {
      // A normal goes beyond three deviations 199 times in so many draws.
      expect(got.high).toBeGreaterThan(mean + 3 * deviation);
      expect(got.low).toBeLessThan(mean - 3 * deviation);
    }
  });

  it('constant is the same everywhere', async () => {
    const values = init.constant(0.25)(device, [2, 2]);
    expect(await values.array()).toEqual([
      [0.25, 0.25],
      [0.25, 0.25],
    ]);
  });

  it('counts what a weight connects', () => {
    expect(init.fans([10, 20])).toEqual({ fanIn: 10, fanOut: 20 });
    expect(init.fans([3, 5, 8, 16])).toEqual({ fanIn: 15 * 8, fanOut: 15 * 16 });
    expect(() => init.fans([10])).toThrow(ShapeError);
    expect(() => init.fans([10])).toThrow(
      'init: expected weights of 2 or more dimensions, got [10]\nfix: use constant for biases',
    );
  });

  it('takes depthwise filters by their own taps, whatever the number of channels', async () => {
    const layer = new DepthwiseConv2d(device, { inChannels: 512, kernelSize: 3 });
    const bound = Math.sqrt(6 / (9 + 9));
    const most = await largest(layer.weight);
    expect(most).toBeLessThanOrEqual(bound * (1 + 2 ** -23));
    expect(most).toBeGreaterThan(0.98 * bound);
  });

  it('layers start with glorotUniform weights and zero biases, or as told', async () => {
    const layer = new Dense(device, { inFeatures: 300, outFeatures: 300 });
    const most = await largest(layer.weight);
    expect(Math.abs(most / 0.1 - 1)).toBeLessThan(0.02);
    expect(await largest(layer.bias!)).toBe(0);
    const told = new Conv2d(device, {
      ...{ inChannels: 1, outChannels: 2, kernelSize: 1 },
      ...{ weightInit: init.constant(2), biasInit: init.constant(0.5) },
    });
    expect(await told.weight.array()).toEqual([[[[2, 2]]]]);
    expect(await told.bias!.array()).toEqual([0.5, 0.5]);
  });

  it('two layers draw different weights', async () => {
    const [a, b] = [0, 1].map(() => new Dense(device, { inFeatures: 4, outFeatures: 4 }));
    expect(await a.weight.array()).not.toEqual(await b.weight.array());
  });
});
