import { describe, expect, it } from 'vitest';
import { argmax, argmin, max, min } from '../../src/ops/reduce.js';
import { describeOp } from '../helpers/battery.js';
import { testDevice } from '../helpers/device.js';

describeOp('arg_max');

describe('argmax and argmin', () => {
  it.each(['naive', 'workgroup'] as const)(
    'find the first NaN, as max and min give NaN, variant %s',
    async (variant) => {
      const device = await testDevice();
      for (const length of [4, 65, 300]) {
        for (const place of [0, 1, length - 2]) {
          const values = Float32Array.from({ length }, (_, i) => ((i * 7) % 11) - 5);
          values[place] = NaN;
          values[length - 1] = NaN;
          const x = device.tensor(values, [1, length]);
          expect(await argmax(x, { axis: 1, variant }).array()).toEqual([place]);
          expect(await argmin(x, { axis: 1, variant }).array()).toEqual([place]);
          expect(await max(x, { axis: 1 }).array()).toEqual([NaN]);
          expect(await min(x, { axis: 1 }).array()).toEqual([NaN]);
        }
      }
    },
  );

  it.each(['naive', 'workgroup'] as const)(
    'order infinities, and take −0 for 0, variant %s',
    async (variant) => {
      const device = await testDevice();
      const x = device.tensor([
        [-Infinity, 3, Infinity, 1],
        [-2, -0, 0, -1],
        [2, 0, -0, 1],
      ]);
      expect(await argmax(x, { axis: 1, variant }).array()).toEqual([2, 1, 0]);
      expect(await argmin(x, { axis: 1, variant }).array()).toEqual([0, 0, 1]);
    },
  );
});
