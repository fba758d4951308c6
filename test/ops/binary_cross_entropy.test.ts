import { describe, expect, it } from 'vitest';
import { binaryCrossEntropy } from '../../src/ops/loss.js';
import { describeOp } from '../helpers/battery.js';
import { testDevice } from '../helpers/device.js';

describeOp('binary_cross_entropy');

describe('binaryCrossEntropy', () => {
  it('computes the number of its documentation', async () => {
    const device = await testDevice();
    const prediction = device.tensor([0, 0]);
    const target = device.tensor([0, 1]);
    const loss = binaryCrossEntropy(prediction, target, { fromLogits: true });
    expect(await loss.item()).toBeCloseTo(Math.LN2, 6);
  });

  it.each(['naive', 'vec4'] as const)(
    'is 0 for infinite logits that are right and infinite for wrong ones, variant %s',
    async (variant) => {
      const device = await testDevice();
      const prediction = device.tensor([-Infinity, Infinity, -Infinity, Infinity, NaN, 3e38], [6], {
        requiresGrad: true,
      });
      const target = device.tensor([0, 1, 1, 0, 0, 1]);
      const options = { fromLogits: true, reduction: 'none', variant } as const;
      const losses = binaryCrossEntropy(prediction, target, options);
      expect([...(await losses.data())]).toEqual([0, 0, Infinity, Infinity, NaN, 0]);
      losses.backward(device.ones([6]));
      expect([...(await prediction.grad!.data())]).toEqual([0, 0, -1, 1, NaN, 0]);
    },
  );

  it('stays finite at probabilities of 0 and 1, and lets NaN and nonsense show', async () => {
    const device = await testDevice();
    const prediction = device.tensor([0, 0, 1, 1, NaN, -0.5]);
    const target = device.tensor([0, 1, 0, 1, 1, 1]);
    const losses = binaryCrossEntropy(prediction, target, { reduction: 'none' });
    expect([...(await losses.data())].map(Math.abs)).toEqual([0, 100, 100, 0, NaN, NaN]);
  });
});
