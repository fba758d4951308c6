import { beforeAll, describe, expect, it } from 'vitest';
import { conv2d, type Conv2dOptions } from '../../src/autograd/ops/conv2d.js';
import type { Device } from '../../src/device.js';
import type { DeviceInfo } from '../../src/gpu/adapter.js';
import { accurateConv2dVariants } from '../../src/kernels/conv2d/choose.js';
import { conv2dReference } from '../../src/reference/conv2d.js';
import { runOp } from '../helpers/battery.js';
import { resolved, supported } from '../helpers/conv2d_variants.js';
import { testDevice } from '../helpers/device.js';
import { fillCase, fillInput, seedOf } from '../helpers/fill.js';
import { opCase, withIntegers, type OpCase } from '../cases/types.js';

type Shape4 = [number, number, number, number];

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});

function planOf(x: Shape4, w: Shape4, options: Conv2dOptions = {}) {
  const meta = (shape: Shape4) => ({ shape, dtype: 'f32' as const });
  return conv2d.shape({ x: meta(x), w: meta(w) }, options).geometry;
}

/** Sizes at which the tiles of the fast kernels fill exactly, or spill by one. */
const tileCases: OpCase[] = (
  [
    ['one full row of 14 pixels', [2, 5, 14, 8], [5, 5, 8, 32], { padding: 2 }],
    ['rows of 14 + 1 pixels, 32 + 4 channels', [1, 4, 15, 16], [3, 3, 16, 36], { padding: 1 }],
    ['rows of 8 pixels', [3, 8, 8, 8], [3, 3, 8, 8], { padding: 1 }],
    ['rows of 7 pixels, three taps beside', [1, 5, 7, 8], [1, 7, 8, 40], { padding: [0, 3] }],
    ['more padding than the filter needs', [1, 4, 5, 8], [2, 2, 8, 8], { padding: 3 }],
    ['an image row that no tap meets', [1, 1, 9, 24], [2, 3, 24, 64], { padding: [4, 1] }],
    ['few channels, 28 pixels', [2, 6, 28, 1], [5, 5, 1, 36], { padding: 'same' }],
    [
      'few channels, ragged taps',
      [1, 7, 9, 3],
      [3, 4, 3, 8],
      {
        padding: [
          [2, 0],
          [1, 3],
        ],
      },
    ],
    ['a filter 11 wide', [1, 3, 14, 8], [1, 11, 8, 8], { padding: [0, 5] }],
    [
      'stride 2, images of one row in a tile',
      [5, 3, 30, 8],
      [3, 3, 8, 36],
      { stride: 2, padding: 1 },
    ],
    ['stride 3, two columns', [2, 8, 6, 16], [1, 2, 16, 8], { stride: 3 }],
    ['1×1, stride 2', [3, 9, 15, 40], [1, 1, 40, 32], { stride: 2 }],
    ['stride and dilation 2', [2, 11, 19, 8], [3, 3, 8, 8], { stride: 2, dilation: 2, padding: 2 }],
    ['dilation 3, stride 2', [1, 12, 17, 8], [2, 3, 8, 8], { stride: 2, dilation: 3, padding: 3 }],
    ['few channels, stride 2', [2, 15, 18, 3], [7, 7, 3, 12], { stride: 2, padding: 3 }],
    ['few channels, dilation 2', [2, 9, 11, 2], [3, 4, 2, 8], { dilation: 2, padding: 2 }],
    ['128 × 128 tiles, forward', [2, 32, 32, 4], [1, 1, 4, 128], { stride: 1 }],
    ['128 × 128 tiles, gradient of w', [1, 3, 3, 256], [3, 3, 256, 128], { padding: 1 }],
    ['slices of a ragged filter', [2, 16, 17, 3], [3, 3, 3, 5], { padding: 1 }],
    ['slices of a filter in fours, groups', [1, 24, 24, 8], [3, 3, 4, 8], { groups: 2 }],
    ['more slices than rows', [1, 2, 6, 1], [1, 1, 1, 4], {}],
  ] as [string, Shape4, Shape4, Conv2dOptions][]
).map(([note, x, w, options]) =>
  withIntegers(
    opCase(
      note,
      { x: { shape: x }, w: { shape: w }, bias: { shape: [w[3]] } },
      options as Record<string, unknown>,
    ),
  ),
);

describe('every variant at the edges of its tiles equals the reference', () => {
  for (const tileCase of tileCases) {
    it(tileCase.title, async () => {
      const inputs = fillCase(tileCase);
      const wanted = conv2dReference.forward(inputs, tileCase.options).y;
      const dy = {
        shape: [...wanted.shape],
        data: fillInput(
          { shape: [...wanted.shape], fill: 'integers' },
          seedOf(`dy/${tileCase.title}`),
        ),
      };
      const gradients = conv2dReference.backward(inputs, tileCase.options, dy);
      const geometry = planOf(
        tileCase.inputs.x.shape as Shape4,
        tileCase.inputs.w.shape as Shape4,
        tileCase.options,
      );
      const variants = accurateConv2dVariants(geometry, device.info);
      expect(variants[0]).toBe('naive');
      for (const variant of variants) {
        const got = await runOp(device, conv2d, tileCase, {
          ...tileCase.options,
          variant,
        });
        expect(Array.from(got.y), `y of ${variant}`).toEqual(Array.from(wanted.data));
        for (const name of ['x', 'w', 'bias']) {
          expect(Array.from(got.gradients[name]), `d${name} of ${variant}`).toEqual(
            Array.from(gradients[name].data),
          );
        }
      }
    });
  }
});

describe('choice of a variant', () => {
  const lanes8: DeviceInfo = {
    ...{ vendor: '', architecture: '', description: '', backend: '', isSoftware: true },
    ...{ subgroupMinSize: 8, subgroupMaxSize: 8, subgroupMatrixConfigs: [] },
    ...{ features: ['subgroups'], limits: {} },
  };
  const wide = { ...lanes8, isSoftware: false, subgroupMinSize: 32, subgroupMaxSize: 32 };
  const directions = ['forward', 'gradInput', 'gradWeight'] as const;
  const chosen = (geometry: ReturnType<typeof planOf>, info: DeviceInfo) =>
    Object.values(resolved(undefined, geometry, info));

  it('takes the kernels of 8 lanes on a software adapter', () => {
    const first = planOf([64, 28, 28, 1], [5, 5, 1, 32], { padding: 'same' });
    const second = planOf([64, 14, 14, 32], [5, 5, 32, 64], { padding: 'same' });
    expect(chosen(first, lanes8)).toEqual(['smallChannel', 'col2im', 'smallChannel']);
    expect(chosen(second, lanes8)).toEqual(['subgroup8', 'subgroup8', 'subgroup8']);
  });

  it('offers them nowhere else', () => {
    const geometry = planOf([8, 8, 8, 32], [3, 3, 32, 32]);
    for (const direction of directions) {
      expect(supported(direction, geometry, wide)).not.toContain('subgroup8');
      expect(supported(direction, geometry, wide)).not.toContain('smallChannel');
    }
  });

  it('computes 1×1 as a matrix product where products have a fast kernel', () => {
    const geometry = planOf([8, 16, 16, 64], [1, 1, 64, 256]);
    expect(chosen(geometry, lanes8)).toEqual(['matmul', 'matmul', 'matmul']);
    // 512 weights, each a sum over 100,352 pixels, fill no tile of a product.
    const few = planOf([8, 112, 112, 32], [1, 1, 32, 16]);
    expect(chosen(few, lanes8)).toEqual(['matmul', 'matmul', 'subgroup8']);
  });

  it('takes tiles on a GPU, but not for a gradient of few channels', () => {
    expect(chosen(planOf([8, 9, 9, 64], [3, 3, 64, 64], { stride: 2 }), wide)).toEqual([
      ...['tiled', 'tiled', 'tiled'],
    ]);
    expect(chosen(planOf([8, 32, 32, 3], [7, 7, 3, 64], { stride: 2 }), wide)).toEqual([
      ...['tiled', 'naive', 'tiled'],
    ]);
    expect(chosen(planOf([8, 9, 9, 64], [3, 3, 2, 64], { groups: 32 }), wide)).toEqual([
      ...['naive', 'naive', 'tiled'],
    ]);
  });

  it('takes tiles on a software adapter where the work repays compiling them', () => {
    const large = planOf([32, 32, 32, 32], [3, 3, 16, 32], { groups: 2 });
    expect(chosen(large, lanes8)).toEqual(['tiled', 'tiled', 'tiled']);
    const small = planOf([1, 8, 8, 32], [3, 3, 16, 32], { groups: 2 });
    expect(chosen(small, lanes8)).toEqual(['naive', 'naive', 'naive']);
  });

  it('takes Winograd on a software adapter where it repays its transforms', () => {
    const chosenFor = (...[n, edge, c, k]: number[]) =>
      chosen(planOf([n, edge, edge, c], [3, 3, c, k], { padding: 1 }), lanes8);
    const winograd = ['winograd2', 'winograd2', 'winograd2'];
    expect(chosenFor(8, 32, 64, 64)).toEqual(winograd);
    expect(chosenFor(8, 8, 256, 256)).toEqual(winograd);
    // The sum over few tiles is short, and the filter's transform long.
    expect(chosenFor(2, 7, 512, 512)).toEqual(['winograd2', 'winograd2', 'subgroup8']);
    const direct = ['subgroup8', 'subgroup8', 'subgroup8'];
    expect(chosenFor(4, 2, 512, 512)).toEqual(direct);
    // With few channels the tiles' bytes outweigh the products.
    expect(chosenFor(64, 28, 16, 32)).toEqual(direct);
    // Too little work to compile four kernels for.
    expect(chosenFor(1, 8, 64, 64)).toEqual(direct);
    // 292 MiB of tiles are more than this adapter binds at once.
    expect(chosenFor(128, 48, 64, 64)).toEqual(direct);
  });

  it('never chooses Winograd on a GPU, and counts only F(2×2) among the accurate', () => {
    const geometry = planOf([8, 32, 32, 64], [3, 3, 64, 64], { padding: 1 });
    expect(supported('forward', geometry, wide)).toEqual([
      ...['naive', 'tiled', 'winograd2', 'winograd4'],
    ]);
    expect(accurateConv2dVariants(geometry, wide)).toEqual(['naive', 'tiled', 'winograd2']);
    expect(chosen(geometry, wide)).toEqual(['tiled', 'tiled', 'tiled']);
  });

  it('a single name counts for the directions it fits', () => {
    const geometry = planOf([1, 8, 8, 3], [3, 3, 3, 8]);
    expect(resolved('smallChannel', geometry, lanes8)).toEqual({
      forward: 'smallChannel',
      gradInput: 'col2im',
      gradWeight: 'smallChannel',
    });
  });

  it('refuses a variant that does not fit, and says why', () => {
    const strided = planOf([1, 9, 9, 8], [3, 3, 8, 8], { stride: 2 });
    const refuse = (variant: Conv2dOptions['variant'], geometry = strided, info = lanes8) =>
      expect(() => resolved(variant, geometry, info));
    const grouped = planOf([1, 9, 9, 8], [3, 3, 4, 8], { groups: 2 });
    refuse({ gradInput: 'subgroup8' }, grouped).toThrow(
      /variant 'subgroup8' does not fit, gradInput: it needs groups=1, got 2\nfix: use one of naive/,
    );
    refuse('subgroup8', grouped).toThrow(/'subgroup8' does not fit, it needs groups=1/);
    refuse('smallChannel', planOf([1, 9, 40, 1], [3, 9, 1, 8], { dilation: 2 })).not.toThrow();
    refuse(
      { forward: 'smallChannel' },
      planOf([1, 9, 40, 1], [3, 9, 1, 8], { dilation: 2 }),
    ).toThrow(
      /it needs 8 outputs to span at most 21 columns, S=9 with stride 1 and dilation 2 span 24/,
    );
    refuse({ gradInput: 'col2im' }, planOf([1, 9, 9, 17], [3, 3, 17, 8])).toThrow(
      /it needs C ≤ 16, got 17/,
    );
    refuse({ gradInput: 'smallChannel' }).toThrow(/it does not compute this direction/);
    refuse('fastest' as never).toThrow(/'fastest' does not fit, there is no such kernel/);
    refuse('winograd2').toThrow(/'winograd2' does not fit, it needs stride 1, got 2×2/);
    refuse('matmul').toThrow(/'matmul' does not fit, it needs a 1×1 filter, got 3×3/);
    refuse('winograd4', planOf([1, 8, 8, 8], [3, 3, 8, 8]), {
      ...lanes8,
      limits: { maxStorageBufferBindingSize: 1000 },
    }).toThrow(/it needs a buffer of 9216 bytes, this adapter allows 1000/);
    const plain = planOf([1, 8, 8, 12], [3, 3, 12, 6]);
    refuse({ forward: 'subgroup8' }, plain).toThrow(/C to be a multiple of 8, got 12/);
    refuse({ gradWeight: 'smallChannel' }, plain).toThrow(/K to be a multiple of 4, got 6/);
    refuse('subgroup8', planOf([1, 8, 8, 8], [3, 3, 8, 8]), wide).toThrow(
      /subgroups of exactly 8 lanes, this adapter has 32 to 32/,
    );
  });
});
