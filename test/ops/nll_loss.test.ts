import { describe, expect, it } from 'vitest';
import { nllLoss } from '../../src/ops/loss.js';
import { describeOp } from '../helpers/battery.js';
import { testDevice } from '../helpers/device.js';

describeOp('nll_loss');

describe('nllLoss', () => {
  it('computes the number of its documentation', async () => {
    const device = await testDevice();
    const logProbabilities = device.tensor([
      [-1, -2],
      [-3, -4],
    ]);
    const labels = device.tensor(Int32Array.of(1, 0));
    expect(await nllLoss(logProbabilities, labels).item()).toBe(2.5);
  });

  it('makes the row of a class that does not exist NaN, and its gradient', async () => {
    const device = await testDevice();
    const x = device.tensor([-1, -2, -3, -4, -5, -6], [3, 2], { requiresGrad: true });
    const losses = nllLoss(x, device.tensor(Int32Array.of(2, 1, -1)), { reduction: 'none' });
    expect([...(await losses.data())]).toEqual([NaN, 4, NaN]);
    losses.backward(device.ones([3]));
    expect([...(await x.grad!.data())]).toEqual([NaN, NaN, 0, -1, NaN, NaN]);
  });
});
