import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Device } from '../../src/device.js';
import { multiply } from '../../src/kernels/matmul/matmul.js';
import type { MatmulVariant } from '../../src/kernels/matmul/variants.js';
import { expectCoverage } from '../helpers/coverage.js';
import { testDevice } from '../helpers/device.js';

expectCoverage('matmul_residual', null, testDevice);

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});
afterEach(() => vi.restoreAllMocks());

/** Whole numbers −3 … 3, whose sums are exact in any order. */
const integers = (size: number, step: number): Float32Array =>
  Float32Array.from({ length: size }, (_, i) => ((i * step) % 7) - 3);

/* A convolution of 1×1 adds its residual here; ops.matmul has none, so its tests do not come by. */
describe('a product adds a residual before its activation', () => {
  const sizes: [string, number, number, number, string[]][] = [
    ['one slice', 19, 24, 36, []],
    ['a sum in slices', 5, 600, 8, ['matmul_sum_slices']],
  ];
  const kernels: [MatmulVariant, string][] = [
    ['naive', 'matmul_forward_naive'],
    ['subgroup8', 'matmul_forward_subgroup8'],
    ['tiled', 'matmul_forward_tiled'],
    ['tiledVec4', 'matmul_forward_tiled_vec4'],
  ];
  for (const [note, m, k, n, second] of sizes) {
    it.each(kernels)(`${note} [${m} ${k}] · [${k} ${n}], %s`, async (variant, shader) => {
      const { runtime } = device;
      const [a, b, bias, residual] = [m * k, k * n, n, m * n].map((size, i) =>
        integers(size, 2 + i),
      );
      const dispatch = vi.spyOn(runtime, 'dispatch');
      const got = device.scope(() =>
        multiply(runtime, device.tensor(a, [m, k]).gpuArray, device.tensor(b, [k, n]).gpuArray, {
          bias: device.tensor(bias, [n]).gpuArray,
          residual: device.tensor(residual, [m, n]).gpuArray,
          ...{ activation: 'relu', variant },
        }),
      );
      const ran = dispatch.mock.calls.map(([request]) => request.shader);
      const slices = variant === 'naive' ? [] : second;
      if (ran[0] !== shader) console.log(`skipped: ${device.info.description} has no ${variant}`);
      else expect(ran).toEqual([shader, ...slices]);
      const wanted = Float32Array.from({ length: m * n }, (_, i) => {
        let sum = bias[i % n] + residual[i];
        for (let j = 0; j < k; j++) sum += a[Math.floor(i / n) * k + j] * b[j * n + (i % n)];
        return Math.max(sum, 0);
      });
      expect(new Float32Array(await runtime.read(got))).toEqual(wanted);
      got.release();
    });
  }
});
