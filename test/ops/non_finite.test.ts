import { expect, it } from 'vitest';
import { ops } from '../../src/index.js';
import { testDevice } from '../helpers/device.js';

/** A NaN must reach the loss: whatever swallows it hides from training that the numbers are gone. */
it.each(['relu', 'relu6', 'leakyRelu', 'elu', 'sigmoid', 'tanh'] as const)(
  'NaN passes through %s, on its own and fused into convolution, dense and batch norm',
  async (activation) => {
    const device = await testDevice();
    await device.scope(async () => {
      const x = device.tensor([NaN, 1, -1, 2], [1, 1, 1, 4]);
      const w = device.ones([1, 1, 4, 4]);
      const isNaNFirst = async (y: { data(): Promise<ArrayLike<number>> }): Promise<boolean> =>
        Number.isNaN((await y.data())[0]);
      expect(await isNaNFirst(ops[activation](x)), 'alone').toBe(true);
      for (const variant of ['naive', undefined] as const) {
        const y = ops.conv2d(x, w, { activation, ...(variant ? { variant } : {}) });
        expect(await isNaNFirst(y), `conv2d ${variant}`).toBe(true);
      }
      const rows = x.reshape([1, 4]);
      const dense = ops.dense(rows, device.ones([4, 4]), { activation });
      expect(await isNaNFirst(dense), 'dense').toBe(true);
      const normalized = ops.batchNorm(rows, {
        ...{ runningMean: device.zeros([4]), runningVariance: device.ones([4]) },
        ...{ gamma: device.ones([4]), beta: device.zeros([4]), training: false, activation },
      });
      expect(await isNaNFirst(normalized), 'batch norm').toBe(true);
    });
  },
);
