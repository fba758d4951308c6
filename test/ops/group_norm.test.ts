import { describe, expect, it } from 'vitest';
import { ops } from '../../src/index.js';
import { describeOp } from '../helpers/battery.js';
import { testDevice } from '../helpers/device.js';

describeOp('group_norm');

/** x [1 2 2 6], channel c of pixel p holding (4c + p)^1.3; gamma 1 … 6, beta 0 … 5; dy (1 … 24)^1.5. */
const image = Array.from({ length: 24 }, (_, i) => (4 * (i % 6) + Math.floor(i / 6)) ** 1.3);
const gradient = Array.from({ length: 24 }, (_, i) => (i + 1) ** 1.5);

describe('normalisations of groups agree with PyTorch 2.15', () => {
  it.each([
    [
      'groupNorm',
      [-1.37, -0.0716, 4.0521, -3.1793, 1.702, 9.2657, -1.2324, 0.4899, 5.0716, -2.1297],
      [-0.042, -6.576, -15.701, -5.918, -16.587, -27.479, 1.185, -3.542, -9.625, -0.104],
    ],
    [
      'instanceNorm',
      [-1.2134, -1.6325, -1.9817, -2.3263, -2.6695, -3.0121, -0.5776, 0.0546, 0.615, 1.1708],
      [0.787, 3.104, 3.972, 4.64, 5.194, 5.669, -0.581, -3.178, -4.105, -4.801],
    ],
  ] as const)('%s', async (name, wanted, dx) => {
    const device = await testDevice();
    const x = device.tensor(image, [1, 2, 2, 6], { requiresGrad: true });
    const factors = { gamma: device.arange(6, { start: 1 }), beta: device.arange(6) };
    const y =
      name === 'groupNorm' ? x.groupNorm({ groups: 2, ...factors }) : x.instanceNorm(factors);
    const got = await y.data();
    wanted.forEach((value, i) => expect(got[i]).toBeCloseTo(value, 3));
    y.backward(device.tensor(gradient, [1, 2, 2, 6]));
    const slopes = await x.grad!.data();
    dx.forEach((value, i) => expect(slopes[i]).toBeCloseTo(value, 2));
  });

  it('layerNorm', async () => {
    const device = await testDevice();
    const values = Array.from({ length: 12 }, (_, i) => i ** 1.3);
    const x = device.tensor(values, [3, 4], { requiresGrad: true });
    const y = x.layerNorm({ gamma: device.arange(4, { start: 1 }), beta: device.arange(4) });
    const got = await y.data();
    [-1.2134, -0.1551, 3.0566, 8.755, -1.3163, 0.0546, 3.2701, 8.4623].forEach((value, i) =>
      expect(got[i]).toBeCloseTo(value, 3),
    );
    y.backward(device.tensor(gradient.slice(0, 12), [3, 4]));
    const slopes = await x.grad!.data();
    [1.088, -0.706, -1.345, 0.963, 1.454, -1.349, -1.507].forEach((value, i) =>
      expect(slopes[i]).toBeCloseTo(value, 2),
    );
  });
});

describe('normalisations of groups', () => {
  it('compute the numbers of their documentation', async () => {
    const device = await testDevice();
    const epsilon = 1e-12;
    const row = device.tensor([[1, 3, 10, 30]]);
    const close = async (y: { data(): Promise<ArrayLike<number>> }, wanted: number[]) => {
      const got = await y.data();
      wanted.forEach((value, i) => expect(got[i]).toBeCloseTo(value, 5));
    };
    await close(ops.groupNorm(row, { groups: 2, epsilon }), [-1, 1, -1, 1]);
    const pixels = device.tensor([1, 10, 3, 30], [1, 2, 2]);
    await close(ops.instanceNorm(pixels, { epsilon }), [-1, -1, 1, 1]);
    await close(ops.layerNorm(device.tensor([1, 3, 10, 30], [2, 2]), { epsilon }), [-1, 1, -1, 1]);
  });

  it('give beta, and no gradient, where all values of a group are equal', async () => {
    const device = await testDevice();
    for (const value of [0, 7, 1e6]) {
      const x = device.full([2, 3, 8], value, { requiresGrad: true });
      const y = ops.groupNorm(x, { groups: 2, beta: device.arange(8) });
      const got = [...(await y.data())];
      expect(got).toEqual(got.map((_, i) => i % 8));
      y.backward(device.ones([2, 3, 8]));
      for (const slope of await x.grad!.data()) expect(Math.abs(slope)).toBeLessThan(1e-3);
    }
  });
});
