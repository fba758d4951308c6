import { describe, expect, it } from 'vitest';
import { mseLoss } from '../../src/ops/loss.js';
import { describeOp } from '../helpers/battery.js';
import { testDevice } from '../helpers/device.js';

describeOp('mse_loss');

describe('mseLoss', () => {
  it('computes the number of its documentation', async () => {
    const device = await testDevice();
    const prediction = device.tensor([1, 2, 4, 8]);
    const target = device.tensor([1, 1, 2, 5]);
    expect(await mseLoss(prediction, target).item()).toBe(3.5);
  });
});
