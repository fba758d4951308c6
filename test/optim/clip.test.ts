import { beforeAll, describe, expect, it } from 'vitest';
import type { Device } from '../../src/device.js';
import { clipGradNorm } from '../../src/optim/index.js';
import { clipGradNorm as clipReference } from '../../src/reference/optimizers.js';
import type { Tensor } from '../../src/tensor.js';
import { testDevice } from '../helpers/device.js';
import { fillInput } from '../helpers/fill.js';

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});

const sizes = [1, 7, 255, 257, 5000, 9001];

function parametersWithGradients(): { parameters: Tensor[]; gradients: Float64Array[] } {
  const gradients = sizes.map((size, i) =>
    fillInput({ shape: [size] }, 50 + i).map((v) => Math.fround(v)),
  );
  const parameters = sizes.map((size) => device.zeros([size], { requiresGrad: true }));
  parameters.forEach((p, i) => p.backward(device.tensor(Float32Array.from(gradients[i]))));
  return { parameters, gradients };
}

describe('clipGradNorm', () => {
  it.each([1, 1000])('to at most %s', async (maxNorm) => {
    const { parameters, gradients } = parametersWithGradients();
    const total = sizes.reduce((a, b) => a + b, 0);
    const idle = device.ones([3], { requiresGrad: true });
    const norm = await clipGradNorm([idle, ...parameters], maxNorm).item();
    const wanted = clipReference(gradients, maxNorm);
    const relative = (8 + Math.sqrt(total)) * 2 ** -24;
    expect(Math.abs(norm - wanted)).toBeLessThanOrEqual(relative * wanted);
    for (const [i, p] of parameters.entries()) {
      const got = await p.grad!.data();
      gradients[i].forEach((g, j) => {
        expect(Math.abs(got[j] - g)).toBeLessThanOrEqual(2 * relative * Math.abs(g));
      });
    }
    expect(idle.grad).toBeNull();
  });

  it('gives the numbers of its example, and the same bits twice', async () => {
    const w = device.tensor([0, 0], [2], { requiresGrad: true });
    w.backward(device.tensor([3, 4]));
    expect(await clipGradNorm([w], 2.5).item()).toBe(5);
    const [a, b] = await w.grad!.data();
    expect(a).toBeCloseTo(1.5, 6);
    expect(b).toBeCloseTo(2, 6);
    const run = async (): Promise<number> =>
      clipGradNorm(parametersWithGradients().parameters, 1).item();
    expect(await run()).toBe(await run());
  });

  it('refuses to clip nothing', () => {
    const w = device.zeros([2], { requiresGrad: true });
    expect(() => clipGradNorm([w], 1)).toThrow(
      'clipGradNorm: no parameter has a gradient\nfix: call backward() before',
    );
    expect(() => clipGradNorm([w], 1e-300)).toThrow('maxNorm must be 0, or 1.18e-38');
    expect(() => clipGradNorm([w], -1)).toThrow('maxNorm must be at least 0, got -1');
  });
});
