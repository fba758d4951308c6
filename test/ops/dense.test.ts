import { describe, expect, it } from 'vitest';
import { dense } from '../../src/ops/linear.js';
import { describeOp } from '../helpers/battery.js';
import { testDevice } from '../helpers/device.js';

describeOp('dense');

describe('ops.dense', () => {
  it('computes the example of its documentation', async () => {
    const device = await testDevice();
    const x = device.tensor([[1, 2, 3]]);
    const w = device.tensor([
      [1, 0],
      [0, 1],
      [1, -3],
    ]);
    const bias = device.tensor([0.5, 1]);
    expect(await dense(x, w, { bias, activation: 'relu' }).array()).toEqual([[4.5, 0]]);
  });
});
