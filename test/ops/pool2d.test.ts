import { describe, expect, it } from 'vitest';
import { avgPool2d, maxPool2d } from '../../src/ops/pooling.js';
import { describeOp } from '../helpers/battery.js';
import { testDevice } from '../helpers/device.js';

describeOp('pool2d');

describe('maxPool2d and avgPool2d', () => {
  it('compute the numbers of their documentation', async () => {
    const device = await testDevice();
    const values = Array.from({ length: 16 }, (_, i) => i);
    const x = device.tensor(values, [1, 4, 4, 1]);
    expect(await maxPool2d(x, { size: 2 }).array()).toEqual([
      [
        [[5], [7]],
        [[13], [15]],
      ],
    ]);
    const means = [
      [
        [[2.5], [4.5]],
        [[10.5], [12.5]],
      ],
    ];
    expect(await avgPool2d(x, { size: 2 }).array()).toEqual(means);
  });

  it.each([1, 4])('let a NaN through, with C=%i', async (channels) => {
    const device = await testDevice();
    const values = Array.from({ length: 4 * channels }, (_, i) => i);
    values[channels] = NaN;
    const x = device.tensor(values, [1, 2, 2, channels]);
    const y = await maxPool2d(x, { size: 2 }).data();
    expect(y[0]).toBeNaN();
    expect([...y.slice(1)]).toEqual(values.slice(3 * channels + 1));
  });

  it('give all of dy to the first of equal maxima', async () => {
    const device = await testDevice();
    const x = device.tensor([2, 5, 5, 5, 1, 1, 5, 5, 5], [1, 3, 3, 1], { requiresGrad: true });
    maxPool2d(x, { size: 2, stride: 1 }).backward(device.tensor([1, 10, 100, 1000], [1, 2, 2, 1]));
    expect([...(await x.grad!.data())]).toEqual([0, 11, 0, 100, 0, 0, 0, 1000, 0]);
  });
});
