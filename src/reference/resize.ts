/**
 * Images of another size, read off x [N H W C] at
 *
 *     src(p) = (p + ½) · H/P − ½        or, with alignCorners, p · (H − 1)/(P − 1)
 *
 * no further out than the first and last pixel; columns likewise. 'nearest' takes the pixel ⌊src + ½⌋, 'bilinear' mixes the
 * pixels before and after by their distances. Each output is a sum of pixels times weights, and the gradient sends dy back
 * with the same weights.
 */
import { Accumulator, need } from './lib/arrays.js';
import { pairAt, type Pair } from './lib/windows.js';
import type { Reference, RefInputs } from './types.js';

/** `size` or `scale` is given. Defaults: mode 'nearest', alignCorners false. */
export type ResizeReferenceOptions = {
  size?: Pair;
  scale?: Pair;
  mode?: 'nearest' | 'bilinear';
  alignCorners?: boolean;
};

type Tap = { at: number; weight: number };

/** What output p reads along an axis. Quotients of whole numbers, so that ⌊ ⌋ sees no rounding. */
function tapsOf(
  p: number,
  [H, P]: readonly [number, number],
  { mode = 'nearest', alignCorners = false }: ResizeReferenceOptions,
): Tap[] {
  const steps = Math.max(P - 1, 1);
  const [top, bottom] = alignCorners ? [2 * p * (H - 1), 2 * steps] : [(2 * p + 1) * H - P, 2 * P];
  if (mode === 'nearest') {
    const nearest = Math.floor((2 * top + bottom) / (2 * bottom));
    return [{ at: Math.min(Math.max(nearest, 0), H - 1), weight: 1 }];
  }
  const src = Math.min(Math.max(top, 0) / bottom, H - 1);
  const before = Math.floor(src);
  const share = src - before;
  return [
    { at: before, weight: 1 - share },
    { at: Math.min(before + 1, H - 1), weight: share },
  ];
}

function describe(inputs: RefInputs, options: ResizeReferenceOptions) {
  const x = need(inputs, 'x');
  const [N, H, W, C] = x.shape;
  const sizeAt = (axis: 0 | 1, length: number) =>
    options.size === undefined
      ? Math.floor(length * pairAt(options.scale!, axis))
      : pairAt(options.size, axis);
  const [P, Q] = [sizeAt(0, H), sizeAt(1, W)];

  function forEachTap(visit: (xAt: number, yAt: number, weight: number) => void): void {
    for (let n = 0; n < N; n++)
      for (let p = 0; p < P; p++)
        for (let q = 0; q < Q; q++)
          for (const row of tapsOf(p, [H, P], options))
            for (const column of tapsOf(q, [W, Q], options))
              for (let c = 0; c < C; c++) {
                const xAt = ((n * H + row.at) * W + column.at) * C + c;
                visit(xAt, ((n * P + p) * Q + q) * C + c, row.weight * column.weight);
              }
  }
  return { x, yShape: [N, P, Q, C], forEachTap };
}

export const resizeReference: Reference<ResizeReferenceOptions> = {
  forward(inputs, options) {
    const { x, yShape, forEachTap } = describe(inputs, options);
    const y = new Accumulator(yShape);
    forEachTap((xAt, yAt, weight) => y.add(yAt, weight * x.data[xAt]));
    return { y: y.finish() };
  },
  backward(inputs, options, dy) {
    const { x, forEachTap } = describe(inputs, options);
    const dx = new Accumulator(x.shape);
    forEachTap((xAt, yAt, weight) => dx.add(xAt, weight * dy.data[yAt]));
    return { x: dx.finish() };
  },
};
