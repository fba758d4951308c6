/**
 * The reference's convolution once more, with the loops in an order that a CPU likes: channels
 * innermost, where they lie side by side. It makes whole networks affordable in float64.
 */
import { windowAxis, type Padding } from '../../src/reference/lib/windows.js';
import { valueOf, type ReferenceTape, type Value } from './reference_tape.js';

export interface Float64ConvOptions {
  stride?: number;
  padding?: Padding;
}

const CHANNELS = 8;

/** x [N H W C], w [R S C K], bias [K] → [N P Q K]. */
export function conv2dFloat64(
  tape: ReferenceTape,
  { x, w, bias }: { x: Value; w: Value; bias?: Value | undefined },
  options: Float64ConvOptions,
): Value {
  const [N, H, W, C] = x.shape;
  const [R, S, , K] = w.shape;
  const rows = windowAxis(0, H, R, options);
  const columns = windowAxis(1, W, S, options);
  const [P, Q] = [rows.outputs, columns.outputs];
  const y = valueOf([N, P, Q, K], new Float64Array(N * P * Q * K));

  /**
   * Calls `visit` with where the pixels of x and y begin, the filters of a tap, and the channels to
   * take: few at a time, so that their filters stay in the cache for all pixels.
   */
  function forEachTap(
    visit: (xAt: number, wAt: number, yAt: number, channels: number) => void,
  ): void {
    for (let r = 0; r < R; r++)
      for (let s = 0; s < S; s++)
        for (let c = 0; c < C; c += CHANNELS)
          for (let n = 0; n < N; n++)
            for (let p = 0; p < P; p++)
              for (let q = 0; q < Q; q++) {
                const h = p * rows.stride - rows.before + r;
                const column = q * columns.stride - columns.before + s;
                if (h < 0 || h >= H || column < 0 || column >= W) continue;
                const xAt = ((n * H + h) * W + column) * C + c;
                const wAt = ((r * S + s) * C + c) * K;
                visit(xAt, wAt, ((n * P + p) * Q + q) * K, Math.min(CHANNELS, C - c));
              }
  }

  const [xs, ws, ys] = [x.data, w.data, y.data];
  forEachTap((xAt, wAt, yAt, channels) => {
    for (let c = 0; c < channels; c++, wAt += K) {
      const xValue = xs[xAt + c];
      for (let k = 0; k < K; k++) ys[yAt + k] += xValue * ws[wAt + k];
    }
  });
  if (bias) ys.forEach((_, at) => (ys[at] += bias.data[at % K]));

  return tape.record(y, () => {
    const [dx, dw, dy] = [x.gradient, w.gradient, y.gradient];
    forEachTap((xAt, wAt, yAt, channels) => {
      for (let c = 0; c < channels; c++, wAt += K) {
        const xValue = xs[xAt + c];
        let sum = 0;
        for (let k = 0; k < K; k++) {
          sum += dy[yAt + k] * ws[wAt + k];
          dw[wAt + k] += dy[yAt + k] * xValue;
        }
        dx[xAt + c] += sum;
      }
    });
    if (bias) dy.forEach((each, at) => (bias.gradient[at % K] += each));
  });
}
