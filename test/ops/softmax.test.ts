import { describe, expect, it } from 'vitest';
import { logSoftmax, softmax } from '../../src/ops/loss.js';
import { describeOp } from '../helpers/battery.js';
import { testDevice } from '../helpers/device.js';

describeOp('softmax');

describe('softmax and logSoftmax', () => {
  it('compute the numbers of their documentation', async () => {
    const device = await testDevice();
    const x = device.tensor([[0, Math.log(3)]]);
    const [quarter, threeQuarters] = await softmax(x).data();
    expect(quarter).toBeCloseTo(0.25, 6);
    expect(threeQuarters).toBeCloseTo(0.75, 6);
    const [first, second] = await logSoftmax(x).data();
    expect(first).toBeCloseTo(Math.log(0.25), 6);
    expect(second).toBeCloseTo(Math.log(0.75), 6);
  });
});
