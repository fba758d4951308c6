import { describe, expect, it } from 'vitest';
import { windowGeometry } from '../../src/kernels/lib/window_geometry.js';

/**
 * What Keras puts round an image of a known size before a 'valid' convolution of stride 2 in
 * EfficientNet: half the kernel on both sides, one pixel less before an even edge.
 */
function paddingOfKeras(edge: number, kernel: number): [before: number, after: number] {
  const half = Math.floor(kernel / 2);
  return [half - (edge % 2 === 0 ? 1 : 0), half];
}

describe("'same' at stride 2", () => {
  it.each([3, 5, 7])('pads as Keras does before a %i×%i convolution, even and odd edges', (r) => {
    for (let edge = 1; edge <= 64; edge++) {
      const size = { h: edge, w: edge + 1, r, s: r };
      const { padTop, padBottom, padLeft, padRight, p, q } = windowGeometry('conv2d', size, {
        ...{ stride: 2, padding: 'same' },
      });
      expect([padTop, padBottom], `edge ${edge}`).toEqual(paddingOfKeras(edge, r));
      expect([padLeft, padRight], `edge ${edge + 1}`).toEqual(paddingOfKeras(edge + 1, r));
      expect([p, q]).toEqual([Math.ceil(edge / 2), Math.ceil((edge + 1) / 2)]);
    }
  });
});
