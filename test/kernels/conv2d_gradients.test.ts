import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { conv2d as conv2dRecord, type Conv2dOptions } from '../../src/autograd/ops/conv2d.js';
import type { Device } from '../../src/device.js';
import {
  conv2dGradients,
  conv2dGradInput,
  conv2dGradWeight,
} from '../../src/kernels/conv2d/conv2d.js';
import type { Conv2dVariant } from '../../src/kernels/conv2d/variants.js';
import { canDeal } from '../../src/kernels/lib/deal.js';
import { multiply } from '../../src/kernels/matmul/matmul.js';
import { multiplyPair } from '../../src/kernels/matmul/pair.js';
import { supported } from '../helpers/conv2d_variants.js';
import { expectCoverage } from '../helpers/coverage.js';
import { testDevice } from '../helpers/device.js';

expectCoverage('conv2d_gradients', null, testDevice);

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});
afterEach(() => vi.restoreAllMocks());

/**
 * Whole numbers −3 … 3. Their sums, and the halves and quarters of F(2×2), are exact in any order: other
 * kernels may fuse products and sums in another way.
 */
const wholes = (size: number, step: number): Float32Array =>
  Float32Array.from({ length: size }, (_, i) => Math.round(3 * Math.sin(i * step)));

interface Case {
  x: number[];
  w: number[];
  options: Conv2dOptions;
  variant: Conv2dVariant;
  /** Dispatches of both gradients, one after the other and together. */
  apart: number;
  together: number;
}

describe('both gradients of a convolution', () => {
  const cases: [string, Case][] = [
    [
      '1×1',
      {
        ...{ x: [2, 9, 7, 40], w: [1, 1, 40, 72], options: {} },
        ...{ variant: 'matmul', apart: 2, together: 1 },
      },
    ],
    [
      '1×1 with stride 2, whose pixels are picked and spread',
      {
        ...{ x: [2, 9, 7, 40], w: [1, 1, 40, 72], options: { stride: 2 } },
        ...{ variant: 'matmul', apart: 4, together: 3 },
      },
    ],
    [
      '1×1 whose filter is a sum in slices',
      {
        ...{ x: [4, 16, 16, 8], w: [1, 1, 8, 16], options: {} },
        ...{ variant: 'matmul', apart: 3, together: 3 },
      },
    ],
    [
      '3×3 by Winograd, odd sizes',
      {
        ...{ x: [3, 7, 5, 24], w: [3, 3, 24, 40], options: { padding: 1 } },
        ...{ variant: 'winograd2', apart: 6, together: 3 },
      },
    ],
    [
      '3×3 by Winograd, one pixel',
      {
        ...{ x: [5, 1, 1, 16], w: [3, 3, 16, 16], options: { padding: 1 } },
        ...{ variant: 'winograd2', apart: 6, together: 3 },
      },
    ],
    [
      '3×3 by Winograd without padding, whose tiles lie apart',
      {
        ...{ x: [2, 6, 6, 16], w: [3, 3, 16, 16], options: {} },
        ...{ variant: 'winograd2', apart: 6, together: 6 },
      },
    ],
    [
      'by naive kernels',
      {
        ...{ x: [2, 6, 6, 8], w: [3, 3, 8, 8], options: { padding: 1 } },
        ...{ variant: 'naive', apart: 2, together: 2 },
      },
    ],
  ];
  for (const [note, { x, w, options, variant, apart, together }] of cases) {
    it.each([false, true])(
      `have the bits of one after the other, ${note}, addend %s`,
      async (adds) => {
        const { runtime, info } = device;
        const meta = (shape: number[]) => ({ shape, dtype: 'f32' as const });
        const { geometry, shape } = conv2dRecord.shape({ x: meta(x), w: meta(w) }, options);
        const tensors = [x, w, shape, x].map((axes, i) => {
          const size = axes.reduce((a, b) => a * b, 1);
          return device.tensor(wholes(size, 0.7 + i), [...axes]);
        });
        const [image, filter, dy, other] = tensors.map(({ gpuArray }) => gpuArray);
        const addend = adds ? other : undefined;
        const dispatch = vi.spyOn(runtime, 'dispatch');
        const alone = [
          conv2dGradInput(runtime, dy, filter, geometry, { variant, addend }),
          conv2dGradWeight(runtime, image, dy, geometry, { variant }),
        ];
        const before = dispatch.mock.calls.length;
        const { dx, dw } = conv2dGradients(runtime, { x: image, w: filter, dy }, geometry, {
          ...{ variants: { gradInput: variant, gradWeight: variant }, addend },
        });
        const ran = dispatch.mock.calls.length;
        // What a pair needs beyond them, an adapter with subgroups of 8 has.
        const isPaired = info.subgroupMinSize === 8 && info.subgroupMaxSize === 8;
        const fits = supported('gradInput', geometry, info).includes(variant);
        if (isPaired && fits) {
          // A pass adds what these kernels cannot.
          const extra = adds && (variant === 'naive' || options.stride !== undefined) ? 1 : 0;
          expect([before, ran - before]).toEqual([apart + extra, together + extra]);
        } else console.log(`dispatches not counted: ${info.description}`);
        expect(dx.shape).toEqual(x);
        expect(dw.shape).toEqual(w);
        const arrays = [...alone, dx, dw];
        const [aloneX, aloneW, bothX, bothW] = await Promise.all(
          arrays.map(async (array) => new Uint32Array(await runtime.read(array))),
        );
        expect(bothX).toEqual(aloneX);
        expect(bothW).toEqual(aloneW);
        for (const array of arrays) array.release();
        for (const tensor of tensors) tensor.dispose();
      },
    );
  }

  it('are dealt out over a grid of two dimensions, which is larger than asked for', async () => {
    const { runtime } = device;
    // 24 rows and 32 columns a workgroup: 4, and 66,667, more than a dimension has.
    const shapes = [
      [90, 12],
      [12, 20],
      [1_600_000, 4],
      [4, 4],
    ];
    const tensors = shapes.map((shape, i) =>
      device.tensor(wholes(shape[0] * shape[1], 0.7 + i), shape),
    );
    const [a1, b1, a2, b2] = tensors.map(({ gpuArray }) => gpuArray);
    const alone = [multiply(runtime, a1, b1), multiply(runtime, a2, b2)];
    const both = multiplyPair(runtime, { a: a1, b: b1 }, { a: a2, b: b2 }, 'pair');
    const [aloneFirst, aloneSecond, first, second] = await Promise.all(
      [...alone, ...both].map(async (array) => Buffer.from(await runtime.read(array))),
    );
    expect(first.equals(aloneFirst)).toBe(true);
    expect(second.equals(aloneSecond)).toBe(true);
    for (const array of [...alone, ...both]) array.release();
    for (const tensor of tensors) tensor.dispose();
  });

  it('are not dealt out where their workgroups’ numbers exceed 32 bits', () => {
    // A grid folded into two dimensions may be 2¹⁶ larger than asked for.
    expect(canDeal(32_768, 32_767)).toBe(true);
    expect(canDeal(32_768, 32_768)).toBe(false);
    expect(canDeal(1, 2 ** 32 - 2 ** 16 - 2)).toBe(true);
    expect(canDeal(1, 2 ** 32 - 2 ** 16 - 1)).toBe(false);
  });
});
