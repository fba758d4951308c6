import { describe, expect, it } from 'vitest';
import { matmul } from '../../src/ops/linear.js';
import { describeOp } from '../helpers/battery.js';
import { testDevice } from '../helpers/device.js';

describeOp('matmul');

describe('ops.matmul', () => {
  it('computes the example of its documentation', async () => {
    const device = await testDevice();
    const a = device.tensor([
      [1, 2],
      [3, 4],
    ]);
    const b = device.tensor([
      [5, 6],
      [7, 8],
    ]);
    expect(await matmul(a, b).array()).toEqual([
      [19, 22],
      [43, 50],
    ]);
    expect(await matmul(a, b, { transposeB: true }).array()).toEqual([
      [17, 23],
      [39, 53],
    ]);
  });

  it('refuses a variant that does not fit, and says which do', async () => {
    const device = await testDevice();
    const a = device.ones([2, 3]);
    expect(() => matmul(a, device.ones([3, 5]), { variant: 'shuffle' })).toThrow(
      /^matmul: variant 'shuffle' does not fit, it needs [^]*\nfix: use one of naive/,
    );
    expect(() => matmul(a, device.ones([3, 5]), { variant: 'fast' as 'naive' })).toThrow(
      /^matmul: variant 'fast' does not fit, there is no such kernel/,
    );
  });
});
