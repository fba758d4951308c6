import { describe, expect, it } from 'vitest';
import { globalAvgPool2d, globalMaxPool2d } from '../../src/ops/pooling.js';
import { describeOp } from '../helpers/battery.js';
import { testDevice } from '../helpers/device.js';

describeOp('global_pool2d');

describe('globalAvgPool2d and globalMaxPool2d', () => {
  it('compute the numbers of their documentation', async () => {
    const device = await testDevice();
    const values = Array.from({ length: 8 }, (_, i) => i);
    const x = device.tensor(values, [1, 2, 2, 2]);
    expect(await globalAvgPool2d(x).array()).toEqual([[3, 4]]);
    expect(await globalMaxPool2d(x).array()).toEqual([[6, 7]]);
  });

  it.each(['naive', 'vec4', 'sliced'] as const)('let a NaN through, %s', async (variant) => {
    const device = await testDevice();
    const values = Array.from({ length: 4 * 9 }, (_, i) => i);
    values[4 * 3 + 1] = NaN;
    const x = device.tensor(values, [1, 3, 3, 4]);
    const y = await globalMaxPool2d(x, { variant }).data();
    expect([...y]).toEqual([32, NaN, 34, 35]);
  });
});
