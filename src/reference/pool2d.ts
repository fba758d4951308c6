/**
 * Maximum or average over windows, per channel.
 *
 *     max: y[n,p,q,c] = max of the window's elements inside the image; dx goes to the first maximum in row-major order
 *     avg: y[n,p,q,c] = Σ / count; count is the number of elements inside the image, or with `countIncludePad` the
 *          number inside the padded image; every counted element gets dy / count
 */
import { Accumulator, need } from './lib/arrays.js';
import { tapPosition, windowAxis, type Padding, type Pair, pairAt } from './lib/windows.js';
import type { WindowAxis } from './lib/windows.js';
import type { RefArray, Reference, RefInputs } from './types.js';

/** Defaults: stride = size, padding 'valid', countIncludePad false. */
export type Pool2dReferenceOptions = {
  kind: 'max' | 'avg';
  size: Pair;
  stride?: Pair;
  padding?: Padding;
  dilation?: Pair;
  ceilMode?: boolean;
  countIncludePad?: boolean;
};

/** One window: its place in y, the places in x it covers, and the divisor of an average. */
type VisitWindow = (yAt: number, xAt: readonly number[], count: number) => void;

function describe(inputs: RefInputs, options: Pool2dReferenceOptions) {
  const x = need(inputs, 'x');
  const [N, H, W, C] = x.shape;
  const { padding, dilation, ceilMode } = options;
  const geometry = { stride: options.stride ?? options.size, padding, dilation, ceilMode };
  const rows = windowAxis(0, H, pairAt(options.size, 0), geometry);
  const columns = windowAxis(1, W, pairAt(options.size, 1), geometry);
  const [P, Q] = [rows.outputs, columns.outputs];

  function forEachWindow(visit: VisitWindow): void {
    for (let n = 0; n < N; n++)
      for (let p = 0; p < P; p++)
        for (let q = 0; q < Q; q++)
          for (let c = 0; c < C; c++) {
            const inside: number[] = [];
            let padded = 0;
            for (let r = 0; r < rows.kernel; r++)
              for (let s = 0; s < columns.kernel; s++) {
                // the last window of ceilMode may leave the padded image: what lies there is not counted
                if (isPadded(rows, p, r) && isPadded(columns, q, s)) padded++;
                const h = tapPosition(rows, p, r);
                const column = tapPosition(columns, q, s);
                if (h >= 0 && column >= 0) inside.push(((n * H + h) * W + column) * C + c);
              }
            const count = options.countIncludePad ? padded : inside.length;
            visit(((n * P + p) * Q + q) * C + c, inside, count);
          }
  }
  return { x, yShape: [N, P, Q, C], forEachWindow };
}

/** Whether a tap lies on the input or its padding. */
function isPadded(axis: WindowAxis, output: number, tap: number): boolean {
  return output * axis.stride - axis.before + tap * axis.dilation < axis.length + axis.after;
}

/** The first largest element of a window. */
function firstMaximum(x: RefArray, window: readonly number[]): number {
  return window.reduce((best, at) => (x.data[at] > x.data[best] ? at : best));
}

export const pool2dReference: Reference<Pool2dReferenceOptions> = {
  forward(inputs, options) {
    const { x, yShape, forEachWindow } = describe(inputs, options);
    const y = new Accumulator(yShape);
    forEachWindow((yAt, window, count) => {
      if (options.kind === 'max') y.add(yAt, x.data[firstMaximum(x, window)]);
      else for (const at of window) y.add(yAt, x.data[at] / count);
    });
    return { y: y.finish() };
  },
  backward(inputs, options, dy) {
    const { x, forEachWindow } = describe(inputs, options);
    const dx = new Accumulator(x.shape);
    forEachWindow((yAt, window, count) => {
      if (options.kind === 'max') dx.add(firstMaximum(x, window), dy.data[yAt]);
      else for (const at of window) dx.add(at, dy.data[yAt] / count);
    });
    return { x: dx.finish() };
  },
};
