import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { openDataset } from '../../src/data/open/open.js';
import { SIGNS } from '../../src/data/builtin/sign_shapes.js';
import { drawSigns } from '../../src/data/builtin/signs.js';

describe('builtin:signs', () => {
  it('has 43 classes, equally frequent, in training and test part', async () => {
    const { train, test } = await openDataset('builtin:signs', { seed: 1 });
    expect([train.size, test!.size]).toEqual([5160, 860]);
    expect(train.imageShape).toEqual([32, 32, 3]);
    expect(train.classNames).toHaveLength(43);
    expect(new Set(train.classNames).size).toBe(43);
    for (const data of [train, test!]) {
      const counts = new Array<number>(43).fill(0);
      for (const label of data.labels) counts[label]++;
      expect(new Set(counts)).toEqual(new Set([data.size / 43]));
    }
  });

  it('draws the same pictures for the same seed, and others for another', async () => {
    const [small, large, other] = await Promise.all([
      drawSigns('train', 50, 1),
      drawSigns('train', 1100, 1),
      drawSigns('train', 50, 2),
    ]);
    expect(large.images.subarray(0, 50 * 3072)).toEqual(small.images);
    expect(other.images).not.toEqual(small.images);
  });

  it('has 43 drawings of which any two differ in many of their pixels', async () => {
    const drawings = await Promise.all(
      SIGNS.map(({ svg }) => {
        const page =
          '<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"' +
          ` viewBox="-50 -50 100 100"><rect x="-50" y="-50" width="100" height="100"/>${svg}</svg>`;
        return sharp(Buffer.from(page)).removeAlpha().raw().toBuffer();
      }),
    );
    for (let a = 0; a < 43; a++) {
      for (let b = 0; b < a; b++) {
        const different = drawings[a].filter((v, i) => Math.abs(v - drawings[b][i]) > 60).length;
        expect(different, `${SIGNS[a].name} and ${SIGNS[b].name}`).toBeGreaterThan(60);
      }
    }
  });
});
