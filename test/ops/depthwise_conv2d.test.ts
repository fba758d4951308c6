import { describe, expect, it } from 'vitest';
import type { DepthwiseConv2dOptions } from '../../src/autograd/ops/depthwise_conv2d.js';
import type { Conv2dGeometry } from '../../src/kernels/conv2d/geometry.js';
import { windowGeometry } from '../../src/kernels/lib/window_geometry.js';
import { chooseDepthwiseVariant } from '../../src/kernels/depthwise_conv2d/choose.js';
import { depthwiseTile } from '../../src/kernels/depthwise_conv2d/tile.js';
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
    const apart = await silu(depthwiseConv2d(x, w)).data();
    fused.forEach((value, i) => expect(value).toBeCloseTo(apart[i], 5));
  });

  it.each<[number[], number[], DepthwiseConv2dOptions, string]>([
    [[1, 4, 4, 6], [3, 3, 6, 1], { variant: 'vec4' }, 'C to be a multiple of 4, got 6'],
    [[1, 4, 4, 4], [3, 3, 4, 2], { variant: 'tile' }, 'one filter a channel, got 2'],
    [[1, 4, 4, 6], [3, 3, 6, 1], { variant: 'tile' }, 'C to be a multiple of 4, got 6'],
    [[1, 9, 9, 4], [3, 8, 4, 1], { variant: 'tile' }, 'a filter of at most 7×7, got 3×8'],
    [[1, 9, 9, 4], [3, 3, 4, 1], { variant: 'tile', stride: 3 }, 'strides of at most 2, got 3×3'],
    [[1, 9, 9, 4], [3, 3, 4, 1], { variant: 'tile', dilation: [1, 2] }, 'dilation 1, got 1×2'],
  ])('refuses a variant that does not fit x %j, w %j, %j', async (xShape, wShape, options, why) => {
    const device = await testDevice();
    const [x, w] = [device.ones(xShape), device.ones(wShape)];
    const fitting = xShape[3] === 6 || wShape[3] === 2 ? 'naive' : 'naive, vec4';
    expect(() => depthwiseConv2d(x, w, options)).toThrow(
      `depthwiseConv2d: variant '${options.variant}' does not fit, it needs ${why}\nfix: use one of ${fitting}, or none to have it chosen`,
    );
  });

  it('refuses a variant that does not exist', async () => {
    const device = await testDevice();
    const [x, w] = [device.ones([1, 4, 4, 4]), device.ones([3, 3, 4, 1])];
    // @ts-expect-error: no such name
    expect(() => depthwiseConv2d(x, w, { variant: 'toString' })).toThrow(
      "depthwiseConv2d: variant 'toString' does not fit, there is no such kernel\nfix: use one of naive, vec4, tile",
    );
  });

  it('chooses tiles on a software adapter and vec4 elsewhere', () => {
    const chosen = (isSoftware: boolean, g: Conv2dGeometry) =>
      chooseDepthwiseVariant({ direction: 'gradInput', geometry: g, info: { isSoftware } });
    const large = { ...geometryOf(28, 5, 1), n: 32 };
    expect(chosen(true, large)).toBe('tile');
    expect(chosen(false, large)).toBe('vec4');
    expect(chosen(true, { ...large, n: 13 })).toBe('tile');
    expect(chosen(true, { ...large, n: 12 })).toBe('vec4');
    expect(chosen(true, { ...large, dilationH: 2 })).toBe('vec4');
    expect(chosen(true, { ...large, c: 6, k: 6, n: 100 })).toBe('naive');
    const info = { isSoftware: true };
    expect(chooseDepthwiseVariant({ direction: 'gradWeight', geometry: large, info })).toBe('vec4');
  });
});

describe('the tile of a depthwise convolution', () => {
  it.each([
    ['forward', geometryOf(56, 3, 1), [4, 4]],
    ['forward', geometryOf(28, 5, 1), [4, 4]],
    ['forward', geometryOf(7, 5, 1), [2, 7]],
    ['forward', geometryOf(14, 3, 1), [2, 7]],
    ['gradInput', geometryOf(28, 5, 1), [4, 4]],
    ['gradInput', geometryOf(7, 5, 1), [4, 4]],
    ['gradInput', geometryOf(56, 5, 2), [4, 8]],
    ['forward', geometryOf(1, 3, 1), [1, 1]],
  ] as const)('in direction %s of %o is %j', (direction, geometry, tile) => {
    expect(depthwiseTile(direction, geometry)).toEqual(tile);
  });

  it('is there for every filter and stride that fits', () => {
    for (let taps = 1; taps <= 7; taps++) {
      for (const stride of [1, 2]) {
        for (const size of [1, 2, 3, 7, 14, 15, 112]) {
          const geometry = geometryOf(size, taps, stride);
          for (const direction of ['forward', 'gradInput'] as const) {
            const [rows, columns] = depthwiseTile(direction, geometry);
            const step = direction === 'gradInput' ? stride : 1;
            expect([rows % step, columns % step]).toEqual([0, 0]);
            expect((rows * columns * taps * taps) / step ** 2).toBeLessThanOrEqual(400);
          }
        }
      }
    }
  });
});

/** A square image of eight channels, padding 'same'. */
function geometryOf(size: number, taps: number, stride: number): Conv2dGeometry {
  const options = { stride, padding: 'same' as const };
  const window = windowGeometry('', { h: size, w: size, r: taps, s: taps }, options);
  return { n: 1, h: size, w: size, c: 8, r: taps, s: taps, k: 8, groups: 8, ...window };
}
