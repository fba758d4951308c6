import { describe, expect, it } from 'vitest';
import { castArray } from '../../src/kernels/cast.js';
import { multiply } from '../../src/kernels/matmul/matmul.js';
import { matmulGradA, matmulGradB } from '../../src/kernels/matmul/gradients.js';
import type { MatmulVariant } from '../../src/kernels/matmul/variants.js';
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
    expect(() => matmul(a, device.ones([3, 5]), { variant: 'subgroup8' })).toThrow(
      /^matmul: variant 'subgroup8' does not fit, it needs [^]*\nfix: use one of naive/,
    );
    expect(() => matmul(a, device.ones([3, 5]), { variant: 'fast' as 'naive' })).toThrow(
      /^matmul: variant 'fast' does not fit, there is no such kernel/,
    );
  });
});

describe('matmul of more workgroups than a grid has places in one direction', () => {
  it('finds the tile of each', async () => {
    const device = await testDevice();
    await device.scope(async () => {
      const m = 16 * 65535 + 17;
      const a = Float32Array.from({ length: m * 4 }, (_, i) => (i * 31) % 17);
      const b = Float32Array.from({ length: 16 }, (_, i) => ((i * 7) % 19) - 5);
      const y = multiply(
        device.runtime,
        device.tensor(a, [m, 4]).gpuArray,
        device.tensor(b, [4, 4]).gpuArray,
        { variant: 'subgroup8' },
      );
      const got = new Float32Array(await device.runtime.read(y));
      y.release();
      const wrong = got.findIndex((value, at) => {
        const row = at & ~3;
        let wanted = 0;
        for (let t = 0; t < 4; t++) wanted += a[row + t] * b[4 * t + (at & 3)];
        return value !== wanted;
      });
      expect(wrong, 'first wrong element').toBe(-1);
      expect(got.length).toBe(m * 4);
    });
  });
});

describe('matmul of f16 operands', () => {
  const variants: MatmulVariant[] = ['naive', 'tiled', 'tiledVec4'];
  const [m, k, n] = [20, 72, 36];
  // Small integers are exact in f16, and their sums in f32 but not in f16: 72 · 80 · 80 > 65504.
  const values = (size: number, step: number) =>
    Array.from({ length: size }, (_, i) => ((i * step) % 201) - 20);

  it.each(variants)('sums in f32: %s', async (variant) => {
    const device = await testDevice();
    if (!device.info.features.includes('shader-f16')) {
      console.log(`skipped: ${device.info.description} has no shader-f16`);
      return;
    }
    await device.scope(async () => {
      const { runtime } = device;
      const [a, b, dy] = [values(m * k, 7), values(k * n, 13), values(m * n, 3)];
      const wide = device.tensor(a, [m, k]);
      const a16 = castArray(runtime, wide.gpuArray, 'f16');
      const b16 = castArray(runtime, device.tensor(b, [k, n]).gpuArray, 'f16');
      const gradient = device.tensor(dy, [m, n]).gpuArray;
      const read = async (array: ReturnType<typeof multiply>) => {
        expect(array.dtype).toBe('f32');
        return Array.from(new Float32Array(await runtime.read(array)));
      };
      const sumOver = (length: number, term: (i: number) => number) =>
        Array.from({ length }, (_, i) => term(i)).reduce((sum, value) => sum + value, 0);
      const grid = (rows: number, columns: number, value: (i: number, j: number) => number) =>
        Array.from({ length: rows * columns }, (_, at) =>
          value(Math.floor(at / columns), at % columns),
        );

      const y = grid(m, n, (i, j) => sumOver(k, (t) => a[i * k + t] * b[t * n + j]));
      expect(Math.max(...y.map(Math.abs))).toBeGreaterThan(65504);
      expect(await read(multiply(runtime, a16, b16, { variant }))).toEqual(y);
      expect(await read(multiply(runtime, wide.gpuArray, b16, { variant }))).toEqual(y);
      expect(await read(matmulGradA(runtime, gradient, b16, [m, k], { variant }))).toEqual(
        grid(m, k, (i, j) => sumOver(n, (t) => dy[i * n + t] * b[j * n + t])),
      );
      expect(await read(matmulGradB(runtime, a16, gradient, [k, n], { variant }))).toEqual(
        grid(k, n, (i, j) => sumOver(m, (t) => a[t * k + i] * dy[t * n + j])),
      );
    });
  });
});
