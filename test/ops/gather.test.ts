import { describe, expect, it } from 'vitest';
import { gather } from '../../src/ops/shape.js';
import { describeOp } from '../helpers/battery.js';
import { testDevice } from '../helpers/device.js';

describeOp('gather');

describe('gather', () => {
  it.each(['naive', 'columns'] as const)(
    'counts negative indices from the end and picks NaN out of range, variant %s',
    async (variant) => {
      const device = await testDevice();
      const x = device.tensor([1, 2, 3], [3, 1], { requiresGrad: true });
      const indices = device.tensor(Int32Array.of(-1, 2, 3, -3, -4));
      const y = gather(x, indices, { variant });
      expect([...(await y.data())]).toEqual([3, 3, NaN, 1, NaN]);
      y.backward(device.tensor([1, 10, 100, 1000, 10000], [5, 1]));
      expect([...(await x.grad!.data())]).toEqual([1000, 0, 11]);
    },
  );

  it('picks NaN in every element of a row, four at a time too', async () => {
    const device = await testDevice();
    const x = device.tensor([1, 2, 3, 4], [1, 4]);
    const y = gather(x, device.tensor(Int32Array.of(0, 1)));
    expect([...(await y.data())]).toEqual([1, 2, 3, 4, NaN, NaN, NaN, NaN]);
  });

  it('gives integers that stand out where there is no NaN', async () => {
    const device = await testDevice();
    const indices = device.tensor(Uint32Array.of(0, 2, 2 ** 32 - 1));
    const signed = gather(device.tensor(Int32Array.of(7, 8)), indices);
    expect([...(await signed.data())]).toEqual([7, -(2 ** 31), -(2 ** 31)]);
    const unsigned = gather(device.tensor(Uint32Array.of(7, 8)), indices);
    expect([...(await unsigned.data())]).toEqual([7, 2 ** 32 - 1, 2 ** 32 - 1]);
  });
});
