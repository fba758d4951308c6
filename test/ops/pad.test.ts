import { describe, expect, it } from 'vitest';
import { pad } from '../../src/ops/shape.js';
import { describeOp } from '../helpers/battery.js';
import { testDevice } from '../helpers/device.js';

describeOp('pad');

describe('pad by what is in x', () => {
  const padding = [
    [0, 0],
    [1, 2],
    [2, 3],
    [0, 0],
  ] as const;
  /** x is 1 … 12 as 3×4, dy 1, 2, 3, …; values of torch.nn.functional.pad 2.15, (2, 3, 1, 2). */
  it.each([
    [
      'reflect',
      [7, 6, 5, 6, 7, 8, 7, 6, 5, 3, 2, 1, 2, 3, 4, 3, 2, 1, 7, 6, 5, 6, 7, 8, 7, 6, 5, 11, 10, 9],
      [132, 190, 188, 66, 144, 204, 201, 72, 66, 95, 94, 33],
    ],
    [
      'edge',
      [1, 1, 1, 2, 3, 4, 4, 4, 4, 1, 1, 1, 2, 3, 4, 4, 4, 4, 5, 5, 5, 6, 7, 8, 8, 8, 8, 9, 9, 9],
      [39, 17, 19, 96, 60, 22, 23, 102, 342, 120, 123, 522],
    ],
  ] as const)('agrees with PyTorch: %s', async (mode, wanted, gradient) => {
    const device = await testDevice();
    for (const channels of [1, 4]) {
      const values = Array.from({ length: 12 * channels }, (_, i) => 1 + Math.floor(i / channels));
      const x = device.tensor(values, [1, 3, 4, channels], { requiresGrad: true });
      const y = pad(x, { padding, mode });
      expect(y.shape).toEqual([1, 6, 9, channels]);
      const got = await y.data();
      wanted.forEach((value, i) => expect(got[i * channels]).toBe(value));
      const dy = Array.from({ length: 54 * channels }, (_, i) => 1 + Math.floor(i / channels));
      y.backward(device.tensor(dy, [1, 6, 9, channels]));
      const dx = await x.grad!.data();
      gradient.forEach((value, i) => expect(dx[i * channels]).toBe(value));
    }
  });

  it('computes the numbers of its documentation', async () => {
    const device = await testDevice();
    const x = device.tensor([1, 2, 3]);
    expect(await pad(x, { padding: [[2, 1]], mode: 'reflect' }).array()).toEqual([
      3, 2, 1, 2, 3, 2,
    ]);
    expect(await pad(x, { padding: [[2, 1]], mode: 'edge' }).array()).toEqual([1, 1, 1, 2, 3, 3]);
    expect(await pad(x, { padding: [[0, 0]], mode: 'edge' }).array()).toEqual([1, 2, 3]);
  });

  it('refuses to mirror more than there is, and options that would do nothing', async () => {
    const device = await testDevice();
    const x = device.ones([2, 3]);
    const tall = [
      [0, 2],
      [0, 0],
    ] as const;
    expect(() => pad(x, { padding: tall, mode: 'reflect' })).toThrow(
      "pad: 'reflect' mirrors at most 1 elements of axis 0, got padding [0, 2] (x [2 3])",
    );
    expect(pad(x, { padding: tall, mode: 'edge' }).shape).toEqual([4, 3]);
    const mode = 'symmetric' as 'edge';
    expect(() => pad(x, { padding: tall, mode })).toThrow("got 'symmetric'");
    expect(() => pad(x, { padding: tall, mode: 'edge', value: 1 })).toThrow('got value 1');
    expect(() => pad(x, { padding: [[1, 1]], mode: 'edge' })).toThrow('for each of 2 axes');
  });
});
