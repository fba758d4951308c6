import { describe, expect, it } from 'vitest';
import { conv2dTranspose } from '../../src/ops/conv.js';
import { describeOp } from '../helpers/battery.js';
import { testDevice } from '../helpers/device.js';

describeOp('conv2d_transpose');

describe('ops.conv2dTranspose', () => {
  it('computes the example of its documentation', async () => {
    const device = await testDevice();
    const x = device.tensor([[[[1], [2]]]]);
    const w = device.ones([2, 2, 1, 1]);
    const row = [[1], [1], [2], [2]];
    expect(await conv2dTranspose(x, w, { stride: 2 }).array()).toEqual([[row, row]]);
  });

  it('refuses an output padding that no convolution would leave open', async () => {
    const device = await testDevice();
    const [x, w] = [device.ones([1, 4, 4, 3]), device.ones([3, 3, 8, 3])];
    expect(() => conv2dTranspose(x, w, { stride: 2, outputPadding: 2 })).toThrow(
      /^conv2dTranspose: outputPadding must be smaller than the stride or the dilation, got 2×2 with stride 2×2/,
    );
  });

  it('refuses a variant that does not exist', async () => {
    const device = await testDevice();
    const [x, w] = [device.ones([1, 4, 4, 3]), device.ones([3, 3, 8, 3])];
    expect(() => conv2dTranspose(x, w, { variant: 'fast' as 'naive' })).toThrow(
      "conv2dTranspose: there is no variant 'fast'\nfix: use naive or conv2d, or none",
    );
  });
});
