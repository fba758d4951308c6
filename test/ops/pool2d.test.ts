import { describe, expect, it } from 'vitest';
import { avgPool2d, maxPool2d, maxPool2dIndices } from '../../src/ops/pooling.js';
import { describeOp } from '../helpers/battery.js';
import { testDevice } from '../helpers/device.js';

describeOp('pool2d');

describe('maxPool2d and avgPool2d', () => {
  it('compute the numbers of their documentation', async () => {
    const device = await testDevice();
    const values = Array.from({ length: 16 }, (_, i) => i);
    const x = device.tensor(values, [1, 4, 4, 1]);
    expect(await maxPool2d(x, { size: 2 }).array()).toEqual([
      [
        [[5], [7]],
        [[13], [15]],
      ],
    ]);
    const means = [
      [
        [[2.5], [4.5]],
        [[10.5], [12.5]],
      ],
    ];
    expect(await avgPool2d(x, { size: 2 }).array()).toEqual(means);
  });

  it.each([1, 4])('let a NaN through, with C=%i', async (channels) => {
    const device = await testDevice();
    const values = Array.from({ length: 4 * channels }, (_, i) => i);
    values[channels] = NaN;
    const x = device.tensor(values, [1, 2, 2, channels]);
    const y = await maxPool2d(x, { size: 2 }).data();
    expect(y[0]).toBeNaN();
    expect([...y.slice(1)]).toEqual(values.slice(3 * channels + 1));
  });

  /** x[h, w] = 7 · (h·W + w) mod 11; values of PyTorch 2.15, ceil_mode=True. */
  describe('agree with PyTorch in ceil mode and dilated', () => {
    it.each([
      [
        [6, 8],
        { size: 3 },
        [9, 10, 10, 10, 10, 10],
        [17, 3, 14, 25, 36, 47],
        [4.3333, 4.5556, 6.1667, 4.8889, 5.1111, 5.5],
        [4.3333, 4.5556, 6.1667, 4.8889, 5.1111, 5.5],
      ],
      [
        [7, 6],
        { size: 3, stride: 2, padding: 1 },
        [9, 10, 10, 2, 9, 10, 9, 9, 10, 10, 9, 7, 10, 9, 9, 3],
        [6, 3, 3, 5, 6, 14, 17, 17, 25, 25, 28, 23, 36, 39, 39, 35],
        [5.25, 5.6667, 5, 1, 5, 5.1111, 4.4444, 5.3333, 4.6667, 4.7778, 4.1111, 5, 6.25],
        [2.3333, 3.7778, 3.3333, 0.3333, 3.3333, 5.1111, 4.4444, 2.6667, 3.1111, 4.7778],
      ],
      [
        [5, 4],
        { size: 2, stride: 3, padding: [0, 1] },
        [6, 10, 7, 10],
        [4, 3, 12, 14],
        [3, 6.75, 4.5, 5.5],
        [1.5, 6.75, 2.25, 5.5],
      ],
      [
        [10, 9],
        { size: 2, stride: 3, padding: 1, dilation: 2 },
        [4, 3, 10, 9, 6, 8, 10, 6, 8, 10, 9, 8, 5, 4, 3, 10],
        [10, 13, 14, 17, 37, 20, 25, 26, 64, 47, 50, 53, 73, 76, 79, 80],
        [],
        [],
      ],
    ] as const)('%j %j', async ([h, w], options, maxima, places, means, paddedMeans) => {
      const device = await testDevice();
      const ceilMode = true;
      for (const c of [1, 4]) {
        const values = Array.from({ length: h * w * c }, (_, i) => (7 * Math.floor(i / c)) % 11);
        const x = device.tensor(values, [1, h, w, c]);
        const first = async (y: { data(): Promise<ArrayLike<number>> }) =>
          Array.from(await y.data()).filter((_, i) => i % c === 0);
        expect(await first(maxPool2d(x, { ...options, ceilMode }))).toEqual(maxima);
        const indices = maxPool2dIndices(x, { ...options, ceilMode });
        expect(indices.dtype).toBe('i32');
        expect(await first(indices)).toEqual(places);
        for (const [countIncludePad, wanted] of [
          [false, means],
          [true, paddedMeans],
        ] as const) {
          // prettier-ignore
          const got = await first(avgPool2d(x, { ...options, ceilMode, countIncludePad }));
          wanted.forEach((value, i) => expect(got[i]).toBeCloseTo(value, 3));
        }
      }
    });
  });

  it('refuse a window without a pixel of the image', async () => {
    const device = await testDevice();
    const x = device.ones([1, 2, 2, 1]);
    // The taps lie at −1 and 2, one before the image and one behind.
    expect(() => maxPool2d(x, { size: 2, stride: 1, padding: 1, dilation: 3 })).toThrow(
      'a window that lies on padding alone has no value',
    );
  });

  it('give all of dy to the first of equal maxima', async () => {
    const device = await testDevice();
    const x = device.tensor([2, 5, 5, 5, 1, 1, 5, 5, 5], [1, 3, 3, 1], { requiresGrad: true });
    maxPool2d(x, { size: 2, stride: 1 }).backward(device.tensor([1, 10, 100, 1000], [1, 2, 2, 1]));
    expect([...(await x.grad!.data())]).toEqual([0, 11, 0, 100, 0, 0, 0, 1000, 0]);
  });
});
