import { describe, expect, it } from 'vitest';
import { depthwiseConv2d } from '../../src/ops/conv.js';
import { silu } from '../../src/ops/elementwise.js';
import { describeOp } from '../helpers/battery.js';
import { testDevice } from '../helpers/device.js';

describeOp('depthwise_conv2d');

describe('ops.depthwiseConv2d', () => {
  it('computes the example of its documentation', async () => {
    const device = await testDevice();
    const x = device.tensor([
      [
        [
          [1, 2],
          [3, 4],
        ],
        [
          [5, 6],
          [7, 8],
        ],
      ],
    ]);
    const w = device.ones([2, 2, 2, 1]);
    expect(await depthwiseConv2d(x, w).array()).toEqual([[[[16, 20]]]]);
  });

  it('applies activations that are no part of its epilogue', async () => {
    const device = await testDevice();
    const x = device.randn([1, 5, 5, 4]);
    const w = device.randn([3, 3, 4, 1]);
    const fused = await depthwiseConv2d(x, w, { activation: 'silu' }).data();
    expect(fused).toEqual(await silu(depthwiseConv2d(x, w)).data());
  });

  it('refuses a variant that does not fit', async () => {
    const device = await testDevice();
    const [x, w] = [device.ones([1, 4, 4, 6]), device.ones([3, 3, 6, 1])];
    expect(() => depthwiseConv2d(x, w, { variant: 'vec4' })).toThrow(
      "depthwiseConv2d: variant 'vec4' does not fit C=6 with 1 filters a channel\nfix: use naive, or none",
    );
  });
});
