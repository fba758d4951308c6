import { beforeAll, describe, expect, it } from 'vitest';
import type { Device } from '../../src/device.js';
import { randomArray, type RandomRule } from '../../src/kernels/random.js';
import { randomNormal, randomTruncatedNormal, randomUniform } from '../../src/reference/philox.js';
import { testDevice } from '../helpers/device.js';

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});

async function draw(
  shape: readonly number[],
  rule: RandomRule,
  seed = 7,
): Promise<{ values: Float32Array; state: { seed: number; stream: number; draw: number } }> {
  const { runtime } = device;
  const block = new Uint32Array(runtime.random.next());
  runtime.random.position -= 1;
  const array = randomArray(runtime, shape, rule);
  const values = new Float32Array(await runtime.read(array));
  array.release();
  expect(block[0]).toBe(seed);
  return { values, state: { seed: block[0], stream: block[1], draw: block[2] } };
}

describe('random numbers on the GPU', () => {
  it.each([[[1]], [[7]], [[3, 65]], [[1029]]])(
    'uniform [%s] equals the reference bit for bit',
    async (shape) => {
      const size = shape.reduce((a, b) => a * b, 1);
      const { values, state } = await draw(shape, { kind: 'uniform', low: 0, high: 1 });
      expect(Array.from(values)).toEqual(Array.from(randomUniform(size, state)));
    },
  );

  it('uniform numbers of another range stay below its upper end', async () => {
    const { values, state } = await draw([4096], { kind: 'uniform', low: 1e7, high: 1e7 + 2 });
    const wanted = randomUniform(4096, state).map((u) => 1e7 + 2 * u);
    values.forEach((value, i) => {
      expect(Math.abs(value - wanted[i])).toBeLessThanOrEqual(1);
      expect(value).toBeGreaterThanOrEqual(1e7);
      expect(value).toBeLessThan(1e7 + 2);
    });
  });

  it('normal numbers agree with float64 to float32 accuracy', async () => {
    const { values, state } = await draw([5001], {
      kind: 'normal',
      mean: 0,
      standardDeviation: 1,
    });
    const wanted = randomNormal(5001, state);
    values.forEach((value, i) => {
      // Both factors of radius · cos are good to a few units in the last place of the radius.
      const { 0: a, 1: b } = pairOf(wanted, i);
      expect(Math.abs(value - wanted[i])).toBeLessThanOrEqual(8 * 2 ** -24 * Math.hypot(a, b));
    });
  });

  it('truncated normals agree with float64 and stay within two deviations', async () => {
    const rule = { kind: 'truncatedNormal', mean: 3, standardDeviation: 0.5 } as const;
    const { values, state } = await draw([20000], rule);
    const wanted = randomTruncatedNormal(20000, state);
    values.forEach((value, i) => {
      expect(Math.abs(value - (3 + 0.5 * wanted[i]))).toBeLessThanOrEqual(16 * 2 ** -24 * 4);
      expect(Math.abs(value - 3)).toBeLessThanOrEqual(1);
    });
  });

  it('every call draws anew, and the same position draws the same', async () => {
    const rule = { kind: 'uniform', low: -1, high: 1 } as const;
    const { runtime } = device;
    const start = runtime.random.position;
    const first = await draw([100], rule);
    const second = await draw([100], rule);
    runtime.random.position = start;
    const again = await draw([100], rule);
    expect(Array.from(second.values)).not.toEqual(Array.from(first.values));
    expect(Array.from(again.values)).toEqual(Array.from(first.values));
  });

  it('draws of one batch do not disturb each other', async () => {
    const { runtime } = device;
    const rule = { kind: 'uniform', low: 0, high: 1 } as const;
    const position = runtime.random.position;
    const arrays = Array.from({ length: 6 }, () => randomArray(runtime, [16], rule));
    for (const [i, array] of arrays.entries()) {
      const wanted = randomUniform(16, { seed: 7, stream: 0, draw: position + i });
      expect(Array.from(new Float32Array(await runtime.read(array)))).toEqual(Array.from(wanted));
      array.release();
    }
  });
});

function pairOf(values: Float64Array, i: number): [number, number] {
  const first = i - (i % 2);
  return [values[first], values[first + 1] ?? 0];
}
