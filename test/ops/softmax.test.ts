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

  it.each(['naive', 'row'] as const)(
    'make NaN of a row that has a NaN or an infinite maximum, and of its gradient, variant %s',
    async (variant) => {
      const device = await testDevice();
      const values = [NaN, 0, 1, 0, 1, NaN, Infinity, 0, 1, 2, 0, 1];
      for (const op of [softmax, logSoftmax]) {
        const x = device.tensor(values, [4, 3], { requiresGrad: true });
        const y = op(x, { variant });
        const wanted = values.map((_, i) => i < 9);
        expect(Array.from(await y.data(), Number.isNaN)).toEqual(wanted);
        y.backward(device.tensor([1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0], [4, 3]));
        expect(Array.from(await x.grad!.data(), Number.isNaN)).toEqual(wanted);
      }
    },
  );
});
