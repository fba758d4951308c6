/** Maximum or mean over the whole image: x [N H W C] → y [N C]. A maximum's gradient goes to the first of its places. */
import { Accumulator, need } from './lib/arrays.js';
import type { Reference, RefInputs } from './types.js';

export type GlobalPool2dReferenceOptions = { kind: 'max' | 'avg' };

/** Calls `visit` for each image and channel with the positions of its pixels in x. */
function forEachChannel(inputs: RefInputs, visit: (yAt: number, pixels: number[]) => void): void {
  const [N, H, W, C] = need(inputs, 'x').shape;
  for (let n = 0; n < N; n++)
    for (let c = 0; c < C; c++) {
      visit(
        n * C + c,
        Array.from({ length: H * W }, (_, pixel) => (n * H * W + pixel) * C + c),
      );
    }
}

export const globalPool2dReference: Reference<GlobalPool2dReferenceOptions> = {
  forward(inputs, { kind }) {
    const x = need(inputs, 'x');
    const y = new Accumulator([x.shape[0], x.shape[3]]);
    forEachChannel(inputs, (yAt, pixels) => {
      if (kind === 'max') y.add(yAt, Math.max(...pixels.map((at) => x.data[at])));
      else for (const at of pixels) y.add(yAt, x.data[at] / pixels.length);
    });
    return { y: y.finish() };
  },
  backward(inputs, { kind }, dy) {
    const x = need(inputs, 'x');
    const dx = new Accumulator(x.shape);
    forEachChannel(inputs, (yAt, pixels) => {
      if (kind === 'avg') for (const at of pixels) dx.add(at, dy.data[yAt] / pixels.length);
      else
        dx.add(
          pixels.reduce((best, at) => (x.data[at] > x.data[best] ? at : best)),
          dy.data[yAt],
        );
    });
    return { x: dx.finish() };
  },
};
