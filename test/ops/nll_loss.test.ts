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

  it('weighs classes and ignores rows as PyTorch 2.15 does', async () => {
    const device = await testDevice();
    const values = [-2, -1, -3, -0.5, -4, -1.5, -1, -2, -6, -0.1, -5, -7];
    const x = device.tensor(values, [4, 3], { requiresGrad: true });
    const labels = device.tensor(Int32Array.of(0, 2, 1, 2));
    const loss = nllLoss(x, labels, { classWeights: [1, 2, 0.5], ignoreIndex: 1 });
    // (1 · 2 + 0.5 · 1.5 + 0.5 · 7) / (1 + 0.5 + 0.5)
    expect(await loss.item()).toBe(3.125);
    loss.backward();
    expect([...(await x.grad!.data())]).toEqual([-0.5, 0, 0, 0, 0, -0.25, 0, 0, 0, 0, 0, -0.25]);
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
