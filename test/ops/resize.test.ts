import { describe, expect, it } from 'vitest';
import { resize } from '../../src/ops/resize.js';
import { describeOp } from '../helpers/battery.js';
import { testDevice } from '../helpers/device.js';

describeOp('resize');

describe('resize', () => {
  it('computes the numbers of its documentation', async () => {
    const device = await testDevice();
    const x = device.tensor([0, 4], [1, 1, 2, 1]);
    const wide = { size: [1, 4], mode: 'bilinear' } as const;
    expect([...(await resize(x, wide).data())]).toEqual([0, 1, 3, 4]);
    expect([...(await resize(x, { size: [1, 4] }).data())]).toEqual([0, 0, 4, 4]);
    const corners = await resize(x, { ...wide, size: [1, 5], alignCorners: true }).data();
    expect([...corners]).toEqual([0, 1, 2, 3, 4]);
  });

  /** x is 3×4, 0, 1, 2^1.5, …; dy 1, 2, 3, …; values of torch.nn.functional.interpolate. */
  it.each([
    [
      { size: [5, 3], mode: 'bilinear' },
      [0.1667, 1.9142, 4.8015, 3.512, 6.324, 10.0341, 8.5301, 12.9386, 17.883, 17.4257],
      [2.8333, 3.0667, 3.6, 5.5, 10.5, 9.3, 9.9, 13.5, 15.8333, 13.4667, 14, 18.5],
    ],
    [
      { size: [2, 7], mode: 'bilinear' },
      [2, 2.5518, 3.4347, 4.6703, 5.9907, 7.5516, 8.5272, 18.9706, 20.4257, 22.754],
      [1.875, 4.125, 6.5893, 8.4107, 4.25, 5.875, 7.5179, 8.6071, 10.875, 13.5, 15.9643, 17.4107],
    ],
    [
      { size: [2, 7], mode: 'bilinear', alignCorners: true },
      [0, 0.5, 1, 1.9142, 2.8284, 4.0123, 5.1962, 22.6274, 24.8137, 27],
      [2, 6, 10, 10, 0, 0, 0, 0, 12.5, 20, 24, 20.5],
    ],
    [
      { size: [5, 3] },
      [0, 2.8284, 5.1962, 0, 2.8284, 5.1962, 8, 14.6969, 18.5203, 22.6274],
      [5, 0, 7, 9, 7, 0, 8, 9, 23, 0, 25, 27],
    ],
  ] as const)('agrees with PyTorch 2.15: %j', async (options, wanted, gradient) => {
    const device = await testDevice();
    const values = Array.from({ length: 12 }, (_, i) => i ** 1.5);
    const x = device.tensor(values, [1, 3, 4, 1], { requiresGrad: true });
    const y = resize(x, options);
    const got = await y.data();
    wanted.forEach((value, i) => expect(got[i]).toBeCloseTo(value, 3));
    y.backward(device.arange([...y.shape], { start: 1 }));
    const dx = await x.grad!.data();
    gradient.forEach((value, i) => expect(dx[i]).toBeCloseTo(value, 3));
  });
});
