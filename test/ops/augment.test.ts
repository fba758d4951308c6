import { beforeAll, describe, expect, it } from 'vitest';
import { augment as record } from '../../src/autograd/ops/augment.js';
import { createDevice, ops, type Device } from '../../src/index.js';
import { augmentVariants, type AugmentVariant } from '../../src/kernels/augment.js';
import {
  augmentReference,
  dealImage,
  splineWeights,
  type AugmentReferenceOptions,
} from '../../src/reference/augment.js';
import { cases, errorCases, exactCases } from '../cases/augment.js';
import type { OpCase } from '../cases/types.js';
import { testDevice } from '../helpers/device.js';
import { fillInput, seedOf } from '../helpers/fill.js';

/*
 * The reference works out what the same draw deals, in float64. The bound is that of all ops with
 * one addition: coordinates are floats too. Each number on the way to a point is rounded at most
 * three times, and a picture changes by at most white from one pixel to the next (by twice that
 * where it fades into the fill value), so the error of a value is at most that of its coordinates
 * times white. src/reference/augment.ts adds it to the magnitude.
 */
let device: Device;
beforeAll(async () => {
  device = await testDevice();
});

interface Outcome {
  got: ArrayLike<number>;
  shape: readonly number[];
  wanted: ReturnType<typeof augmentReference.forward>['y'];
}

async function run({ inputs, options, title }: OpCase, variant?: AugmentVariant): Promise<Outcome> {
  const bytes = fillInput(inputs.images, seedOf(title));
  const { shape } = inputs.images;
  const random = { seed: 7, stream: 0, draw: device.runtime.random.position };
  const reference: AugmentReferenceOptions = { ...options, random };
  const wanted = augmentReference.forward({ images: { shape, data: bytes } }, reference).y;
  return device.scope(async () => {
    const images = device.tensor(Uint8Array.from(bytes), shape);
    const y = ops.augment(images, { ...options, ...(variant ? { variant } : {}) });
    return { got: await y.data(), shape: y.shape, wanted };
  });
}

/** Flat images of one byte value each, so that only what they are dealt shows. */
function grey(value: number, shape: readonly number[]) {
  const size = shape.reduce((product, length) => product * length, 1);
  return device.tensor(new Uint8Array(size).fill(value), shape);
}

describe('augment', () => {
  for (const variant of [undefined, ...augmentVariants]) {
    describe(`variant ${variant ?? 'chosen'}`, () => {
      it.each(exactCases)('$title equals the reference bit for bit', async (opCase) => {
        const { got, shape, wanted } = await run(opCase, variant);
        expect(shape).toEqual(wanted.shape);
        expect(Array.from(got)).toEqual(Array.from(wanted.data));
      });

      it.each(cases)('$title', async (opCase) => {
        const { got, shape, wanted } = await run(opCase, variant);
        expect(shape).toEqual(wanted.shape);
        for (let i = 0; i < wanted.data.length; i++) {
          const allowed = 9 * 2 ** -24 * wanted.magnitude[i];
          const error = Math.abs(got[i] - wanted.data[i]);
          if (error <= allowed) continue;
          throw new Error(
            `element ${i} of [${shape.join(' ')}]: got ${got[i]}, want ${wanted.data[i]}, off by ${error}, allowed ${allowed}`,
          );
        }
      });

      it('is the cast, bit for bit, where nothing is asked or nothing happens', async () => {
        await device.scope(async () => {
          const bytes = device.tensor(
            Uint8Array.from({ length: 256 * 3 }, (_, i) => i),
            [1, 16, 16, 3],
          );
          const wanted = await ops.cast(bytes, 'f32', { scale: 1 / 255 }).data();
          const options = variant ? { variant } : {};
          expect(await ops.augment(bytes, options).data()).toEqual(wanted);
          const never = {
            shift: 0.5,
            probabilities: { shift: 2 ** -60 },
            fill: 'constant' as const,
          };
          expect(await ops.augment(bytes, { ...options, settings: never }).data()).toEqual(wanted);
          const flat = bytes.reshape([768]);
          const shaped = ops.augment(flat, { ...options, imageShape: [16, 16, 3] });
          expect(await shaped.data()).toEqual(wanted);
        });
      });
    });
  }

  it('gives the numbers of its example', async () => {
    await device.scope(async () => {
      const images = device.tensor(Uint8Array.of(0, 128), [1, 1, 2, 1]);
      const wide = ops.augment(images, { size: [1, 4], scale: 1 / 32 });
      expect([...(await wide.data())]).toEqual([0, 1, 3, 4]);
      const mirrored = ops.augment(images, { settings: { flip: 1 }, scale: 1 / 32 });
      expect([...(await mirrored.data())]).toEqual([4, 0]);
    });
  });

  it.each(errorCases)('$title is refused', ({ inputs, options, message, error }) => {
    const { shape, dtype } = inputs.images;
    const refusal = (): unknown => record.shape({ images: { shape, dtype: dtype! } }, options);
    expect(refusal).toThrow(message);
    expect(refusal).toThrow(expect.objectContaining({ name: error }));
  });
});

describe('what images are dealt', () => {
  const COUNT = 20_000;

  it('mirrors the asked share', async () => {
    await device.scope(async () => {
      const pair = Uint8Array.from({ length: 2 * COUNT }, (_, i) => (i % 2) * 255);
      const images = device.tensor(pair, [COUNT, 1, 2, 1]);
      for (const flip of [0.5, 0.1]) {
        const y = await ops.augment(images, { settings: { flip } }).data();
        const share = y.filter((value, i) => i % 2 === 0 && value === 1).length / COUNT;
        // Five standard deviations of a share.
        expect(Math.abs(share - flip)).toBeLessThan(5 * Math.sqrt((flip * (1 - flip)) / COUNT));
      }
    });
  });

  it('spreads a range evenly, and leaves out what its chance leaves out', async () => {
    await device.scope(async () => {
      const images = grey(102, [COUNT, 1, 1, 1]);
      const settings = { brightness: 0.5, probabilities: { brightness: 0.75 } };
      const y = await ops.augment(images, { settings }).data();
      const factors = Array.from(y, (value) => value / 0.4);
      const dealt = factors.filter((factor) => Math.abs(factor - 1) > 1e-6);
      expect(Math.abs(dealt.length / COUNT - 0.75)).toBeLessThan(
        5 * Math.sqrt(0.1875 / COUNT) + 1e-5,
      );
      const counts = new Array<number>(10).fill(0);
      for (const factor of dealt) counts[Math.floor((factor - 0.5) * 10)]++;
      const mean = dealt.length / 10;
      // χ² of 9 degrees of freedom: 33.7 is passed once in 10,000 times.
      const chi = counts.reduce((sum, count) => sum + (count - mean) ** 2 / mean, 0);
      expect(chi).toBeLessThan(33.7);
    });
  });

  it('draws the same for one displacement whatever the others are', () => {
    const random = { seed: 3, stream: 0, draw: 5 };
    const one = dealImage({ rotation: 20 }, [8, 8], 2, random);
    const both = dealImage(
      { rotation: 20, shift: 0.1, elastic: {}, gridDistortion: {} },
      [8, 8],
      2,
      random,
    );
    expect(both.radians).toBe(one.radians);
    expect(both.lines.length).toBe(6);
    expect([both.lines[0], both.lines[5]]).toEqual([
      [0, 0],
      [0, 0],
    ]);
  });

  it('smooths as widely as a Gaussian of σ = spacing / √3', () => {
    // Variance of the cubic B-spline as a density over the knots' places −1, 0, 1, 2 about t.
    for (const t of [0, 0.3, 0.9]) {
      const weights = splineWeights(t);
      expect(weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 14);
      const variance = weights.reduce((sum, weight, k) => sum + weight * (k - 1 - t) ** 2, 0);
      expect(variance).toBeCloseTo(1 / 3, 14);
    }
  });
});

describe('the random stream', () => {
  const settings = { flip: 0.5, shift: 0.2, elastic: {}, gridDistortion: {}, brightness: 0.3 };
  const bytes = Uint8Array.from({ length: 4 * 6 * 5 * 3 }, (_, i) => (i * 37) % 256);

  const steps = async (isCaptured: boolean, from = 0): Promise<number[][]> => {
    using own = await createDevice({ seed: 11 });
    own.runtime.random.position = from;
    const call = own.capture((images) =>
      ops.augment(images, { imageShape: [6, 5, 3], size: [7, 8], settings }),
    );
    const results: number[][] = [];
    for (let step = from; step < 4; step++) {
      const options = { imageShape: [6, 5, 3], size: [7, 8], settings } as const;
      const y = isCaptured ? call(bytes) : ops.augment(own.tensor(bytes), options);
      results.push(Array.from(await y.data()));
    }
    call.dispose();
    return results;
  };

  it('gives the same bits for a seed, new ones at each replay, and goes on from a position', async () => {
    const plain = await steps(false);
    expect(new Set(plain.map((step) => step.join())).size).toBe(4);
    expect(await steps(false)).toEqual(plain);
    expect(await steps(true)).toEqual(plain);
    expect(await steps(true, 2)).toEqual(plain.slice(2));
  });

  it('draws nothing where it does nothing', () => {
    const { random } = device.runtime;
    device.scope(() => {
      const images = grey(9, [2, 3, 3, 1]);
      const before = random.position;
      images.augment({ size: [5, 5] });
      images.augment({ settings: { flip: 0.5 }, training: false });
      images.augment({ settings: { flip: 0, elastic: { strength: 0 } } });
      expect(random.position).toBe(before);
      images.augment({ settings: { flip: 0.5 } });
      expect(random.position).toBe(before + 1);
    });
  });
});
