import { describe, expect, it } from 'vitest';
import { takeAlongAxis } from '../../src/ops/take_along_axis.js';
import { describeOp } from '../helpers/battery.js';
import { testDevice } from '../helpers/device.js';

describeOp('take_along_axis');

describe('takeAlongAxis', () => {
  it('computes the numbers of its documentation', async () => {
    const device = await testDevice();
    const x = device.tensor([
      [1, 5],
      [7, 3],
    ]);
    const indices = device.tensor([[1], [0]], undefined, { dtype: 'i32' });
    expect(await takeAlongAxis(x, indices).array()).toEqual([[5], [7]]);
  });

  it('counts negative indices from the end, and gives NaN out of range, without a gradient', async () => {
    const device = await testDevice();
    const x = device.tensor([1, 5, 2], undefined, { requiresGrad: true });
    const indices = device.tensor([-1, 3, -3, -4], undefined, { dtype: 'i32' });
    const y = takeAlongAxis(x, indices);
    expect(await y.array()).toEqual([2, NaN, 1, NaN]);
    y.backward(device.tensor([10, 20, 30, 40]));
    expect(await x.grad!.array()).toEqual([30, 0, 10]);
  });

  it('reads integers', async () => {
    const device = await testDevice();
    const x = device.tensor([3, -4], undefined, { dtype: 'i32' });
    const indices = device.tensor([1, 2], undefined, { dtype: 'u32' });
    expect(await takeAlongAxis(x, indices).array()).toEqual([-4, -(2 ** 31)]);
  });
});
