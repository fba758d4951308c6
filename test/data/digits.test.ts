import { describe, expect, it } from 'vitest';
import { drawDigits } from '../../src/data/builtin/digits.js';
import { openDataset } from '../../src/data/open/open.js';
import { errorOf } from './helpers.js';

describe('builtin:digits', () => {
  it('has 6000 training and 1000 test pictures of ten equally frequent digits', async () => {
    const { train, test } = await openDataset('builtin:digits', { seed: 1 });
    expect([train.size, test!.size]).toEqual([6000, 1000]);
    expect(train.imageShape).toEqual([28, 28, 1]);
    const counts = new Array<number>(10).fill(0);
    for (const label of train.labels) counts[label]++;
    expect(counts).toEqual(new Array<number>(10).fill(600));
  });

  it('draws the same pictures for the same seed, whatever the size, and others for another', async () => {
    const [small, large, other, test] = await Promise.all([
      drawDigits('train', 30, 1),
      drawDigits('train', 1200, 1),
      drawDigits('train', 30, 2),
      drawDigits('test', 30, 1),
    ]);
    expect(large.images.subarray(0, 30 * 784)).toEqual(small.images);
    expect(other.images).not.toEqual(small.images);
    expect(test.images).not.toEqual(small.images);
  });

  it('keeps the pen within the picture, on a dark ground', async () => {
    const { images, size } = await drawDigits('train', 1000, 3);
    for (let index = 0; index < size; index++) {
      const image = images.subarray(index * 784, (index + 1) * 784);
      const bright = image.filter((value) => value > 100).length;
      expect(bright).toBeGreaterThan(15);
      expect(bright).toBeLessThan(300);
      for (let edge = 0; edge < 28; edge++) {
        // Noise reaches a little above black; a pen that is cut off would be far brighter.
        for (const at of [edge, 27 * 28 + edge, edge * 28, edge * 28 + 27]) {
          expect(image[at]).toBeLessThan(100);
        }
      }
    }
  });

  it('can be told apart: the nearest mean picture is right for most of unseen ones', async () => {
    const train = await drawDigits('train', 2000, 1);
    const test = await drawDigits('test', 300, 1);
    const means = Array.from({ length: 10 }, () => new Float64Array(784));
    train.labels.forEach((label, index) => {
      for (let i = 0; i < 784; i++) means[label][i] += train.images[index * 784 + i] / 200;
    });
    let right = 0;
    test.labels.forEach((label, index) => {
      const distances = means.map((mean) =>
        mean.reduce((sum, value, i) => sum + (value - test.images[index * 784 + i]) ** 2, 0),
      );
      if (distances.indexOf(Math.min(...distances)) === label) right++;
    });
    expect(right / 300).toBeGreaterThan(0.6);
  });

  it('knows no other builtin name', async () => {
    expect((await errorOf(openDataset('builtin:letters'))).message).toContain(
      "data: unknown data set 'builtin:letters', expected builtin:digits",
    );
  });
});
