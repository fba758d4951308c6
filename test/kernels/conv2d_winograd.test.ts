import { beforeAll, describe, expect, it } from 'vitest';
import { conv2d } from '../../src/autograd/ops/conv2d.js';
import type { Device } from '../../src/device.js';
import type { Conv2dGeometry } from '../../src/kernels/conv2d/geometry.js';
import { conv2dReference } from '../../src/reference/conv2d.js';
import type { RefArray } from '../../src/reference/types.js';
import { opCase } from '../cases/types.js';
import { runOp } from '../helpers/battery.js';
import { supported } from '../helpers/conv2d_variants.js';
import { testDevice } from '../helpers/device.js';
import { fillCase, fillInput, seedOf } from '../helpers/fill.js';

/*
 * Winograd adds pixels, and taps, before it multiplies. Its rounding errors therefore follow not the
 * terms of an output, Σ|x·w|, but all products it forms on the way:
 *   allowed = (8 + √L)·2⁻²⁴ · |A|ᵀ·( Σ_c |G|·|w|·|G|ᵀ ⊙ |B|ᵀ·|x|·|B| )·|A|,  L = T²·C.
 * This is the bound of every op, applied to the algorithm's own terms. Per axis and for equal numbers
 * it is 8/3 times Σ|x·w| with F = 2, and up to 47 times with F = 4. The filter's gradient sums over
 * tiles in place of channels.
 */
type Matrix = readonly (readonly number[])[];

const matrices: Record<2 | 4, { B: Matrix; G: Matrix; A: Matrix }> = {
  2: {
    B: [
      [1, 0, -1, 0],
      [0, 1, 1, 0],
      [0, -1, 1, 0],
      [0, 1, 0, -1],
    ],
    G: [
      [1, 0, 0],
      [1 / 2, 1 / 2, 1 / 2],
      [1 / 2, -1 / 2, 1 / 2],
      [0, 0, 1],
    ],
    A: [
      [1, 1, 1, 0],
      [0, 1, -1, -1],
    ],
  },
  4: {
    B: [
      [4, 0, -5, 0, 1, 0],
      [0, -4, -4, 1, 1, 0],
      [0, 4, -4, -1, 1, 0],
      [0, -2, -1, 2, 1, 0],
      [0, 2, -1, -2, 1, 0],
      [0, 4, 0, -5, 0, 1],
    ],
    G: [
      [1 / 4, 0, 0],
      [-1 / 6, -1 / 6, -1 / 6],
      [-1 / 6, 1 / 6, -1 / 6],
      [1 / 24, 1 / 12, 1 / 6],
      [1 / 24, -1 / 12, 1 / 6],
      [0, 0, 1],
    ],
    A: [
      [1, 1, 1, 1, 1, 0],
      [0, 1, -1, 2, -2, 0],
      [0, 1, 1, 4, 4, 0],
      [0, 1, -1, 8, -8, 1],
    ],
  },
};

const product = (a: Matrix, b: Matrix): number[][] =>
  a.map((row) => b[0].map((_, j) => row.reduce((sum, value, i) => sum + value * b[i][j], 0)));
const transpose = (a: Matrix): number[][] => a[0].map((_, j) => a.map((row) => row[j]));
const absolute = (a: Matrix): number[][] => a.map((row) => row.map(Math.abs));
/** m·a·mᵀ */
const around = (m: Matrix, a: Matrix): number[][] => product(product(m, a), transpose(m));

const square = (size: number, at: (i: number, j: number) => number): number[][] =>
  Array.from({ length: size }, (_, i) => Array.from({ length: size }, (_, j) => at(i, j)));

/** One convolution, 3×3 and stride 1, by Winograd's formula in float64. */
function winograd(
  x: RefArray,
  w: RefArray,
  { p: P, q: Q, padTop, padLeft }: Pick<Conv2dGeometry, 'p' | 'q' | 'padTop' | 'padLeft'>,
  F: 2 | 4,
  { isBound }: { isBound: boolean },
): number[] {
  const [N, H, W, C] = x.shape;
  const K = w.shape[3];
  const part = (m: Matrix) => (isBound ? absolute(m) : m.map((row) => [...row]));
  const [B, G, A] = [part(matrices[F].B), part(matrices[F].G), part(matrices[F].A)];
  const value = (v: number) => (isBound ? Math.abs(v) : v);
  const T = F + 2;
  const u = Array.from({ length: C * K }, (_, ck) =>
    around(
      G,
      square(3, (r, s) => value(w.data[(r * 3 + s) * C * K + ck])),
    ),
  );
  const y = new Array<number>(N * P * Q * K).fill(0);
  for (let n = 0; n < N; n++)
    for (let p0 = 0; p0 < P; p0 += F)
      for (let q0 = 0; q0 < Q; q0 += F) {
        const v = Array.from({ length: C }, (_, c) =>
          around(
            B,
            square(T, (i, j) => {
              const [h, column] = [p0 + i - padTop, q0 + j - padLeft];
              const isInside = h >= 0 && h < H && column >= 0 && column < W;
              return isInside ? value(x.data[((n * H + h) * W + column) * C + c]) : 0;
            }),
          ),
        );
        for (let k = 0; k < K; k++) {
          const sums = square(T, (i, j) =>
            v.reduce((sum, tile, c) => sum + tile[i][j] * u[c * K + k][i][j], 0),
          );
          around(A, sums).forEach((row, i) =>
            row.forEach((value, j) => {
              if (p0 + i < P && q0 + j < Q) y[((n * P + p0 + i) * Q + q0 + j) * K + k] = value;
            }),
          );
        }
      }
  return y;
}

/** The filter's gradient by F(3×3, 2×2) in float64. */
function winogradFilterGradient(
  x: RefArray,
  dy: RefArray,
  { padTop, padLeft }: Pick<Conv2dGeometry, 'padTop' | 'padLeft'>,
  { isBound }: { isBound: boolean },
): number[] {
  const [N, H, W, C] = x.shape;
  const [, P, Q, K] = dy.shape;
  const part = (m: Matrix) => (isBound ? absolute(m) : m.map((row) => [...row]));
  const value = (v: number) => (isBound ? Math.abs(v) : v);
  const B = part(matrices[2].B);
  const G = part([
    [1, 0],
    [1 / 2, 1 / 2],
    [1 / 2, -1 / 2],
    [0, 1],
  ]);
  const A = part([
    [1, 1, 1, 0],
    [0, 1, -1, 0],
    [0, 1, 1, -1],
  ]);
  const sums = Array.from({ length: C * K }, () => square(4, () => 0));
  for (let n = 0; n < N; n++)
    for (let p0 = 0; p0 < P; p0 += 2)
      for (let q0 = 0; q0 < Q; q0 += 2) {
        const e = Array.from({ length: K }, (_, k) =>
          around(
            G,
            square(2, (i, j) => {
              const isInside = p0 + i < P && q0 + j < Q;
              return isInside ? value(dy.data[((n * P + p0 + i) * Q + q0 + j) * K + k]) : 0;
            }),
          ),
        );
        for (let c = 0; c < C; c++) {
          const v = around(
            B,
            square(4, (i, j) => {
              const [h, column] = [p0 + i - padTop, q0 + j - padLeft];
              const isInside = h >= 0 && h < H && column >= 0 && column < W;
              return isInside ? value(x.data[((n * H + h) * W + column) * C + c]) : 0;
            }),
          );
          for (let k = 0; k < K; k++) {
            const sum = sums[c * K + k];
            for (let i = 0; i < 4; i++)
              for (let j = 0; j < 4; j++) sum[i][j] += v[i][j] * e[k][i][j];
          }
        }
      }
  const dw = new Array<number>(9 * C * K);
  sums.forEach((sum, ck) => {
    around(A, sum).forEach((row, r) => row.forEach((v, s) => (dw[(3 * r + s) * C * K + ck] = v)));
  });
  return dw;
}

/** w turned round and transposed: with it dx is a convolution of dy. */
function turned(w: RefArray): RefArray {
  const [, , C, K] = w.shape;
  const data = w.data.map((_, i) => {
    const [c, k, tap] = [i % C, Math.floor(i / C) % K, Math.floor(i / (C * K))];
    return w.data[((8 - tap) * C + c) * K + k];
  });
  return { shape: [3, 3, K, C], data };
}

function expectWithin(got: ArrayLike<number>, wanted: ArrayLike<number>, allowed: number[]): void {
  expect(got.length).toBe(wanted.length);
  for (let i = 0; i < got.length; i++) {
    const error = Math.abs(got[i] - wanted[i]);
    if (!(error <= allowed[i])) {
      throw new Error(`[${i}]: got ${got[i]}, want ${wanted[i]}, allowed ${allowed[i]}`);
    }
  }
}

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});

const cases = [
  opCase(
    'tiles fit',
    { x: { shape: [2, 8, 8, 16] }, w: { shape: [3, 3, 16, 32] } },
    { padding: 1 },
  ),
  opCase(
    'ragged tiles',
    { x: { shape: [1, 9, 7, 8] }, w: { shape: [3, 3, 8, 12] } },
    { padding: 1 },
  ),
  opCase('no padding', { x: { shape: [2, 7, 11, 4] }, w: { shape: [3, 3, 4, 8] } }, {}),
  opCase(
    'padding beyond the filter',
    { x: { shape: [1, 3, 4, 4] }, w: { shape: [3, 3, 4, 4] } },
    {
      padding: [
        [4, 0],
        [1, 3],
      ],
    },
  ),
];

describe('Winograd keeps the bound of its own terms', () => {
  for (const F of [2, 4] as const) {
    for (const sample of cases) {
      it(`F(${F}×${F}), ${sample.title}`, async () => {
        const inputs = fillCase(sample);
        const { x, w } = inputs;
        const meta = (array: RefArray) => ({ shape: array.shape, dtype: 'f32' as const });
        const { geometry } = conv2d.shape({ x: meta(x), w: meta(w) }, sample.options);
        expect(supported('forward', geometry, device.info)).toContain(`winograd${F}`);

        const { y } = conv2dReference.forward(inputs, sample.options);
        const dy = {
          shape: [...y.shape],
          data: fillInput({ shape: [...y.shape], fill: 'normal' }, seedOf(`dy/${sample.title}`)),
        };
        const { x: dx, w: dw } = conv2dReference.backward(inputs, sample.options, dy);
        const back = {
          ...{ p: geometry.h, q: geometry.w },
          ...{ padTop: 2 - geometry.padTop, padLeft: 2 - geometry.padLeft },
        };
        // The formula itself is exact: any sign or factor that were wrong above would show here.
        const exact = winograd(x, w, geometry, F, { isBound: false });
        exact.forEach((value, i) => expect(value).toBeCloseTo(y.data[i], 9));

        const bound = (c: number) => (8 + Math.sqrt((F + 2) ** 2 * c)) * 2 ** -24;
        const options = { isBound: true };
        const allowedY = winograd(x, w, geometry, F, options).map((v) => v * bound(geometry.c));
        const allowedX = winograd(dy, turned(w), back, F, options).map(
          (v) => v * bound(geometry.k),
        );
        const gradWeight = F === 2 ? 'winograd2' : undefined;
        const variant = { forward: `winograd${F}`, gradInput: `winograd${F}`, gradWeight };
        const got = await runOp(device, conv2d, sample, { ...sample.options, variant });
        expectWithin(got.y, y.data, allowedY);
        expectWithin(got.gradients.x, dx.data, allowedX);
        if (F === 4) return;
        const exactFilter = winogradFilterGradient(x, dy, geometry, { isBound: false });
        exactFilter.forEach((value, i) => expect(value).toBeCloseTo(dw.data[i], 9));
        const tiles = geometry.n * Math.ceil(geometry.p / 2) * Math.ceil(geometry.q / 2);
        const allowedW = winogradFilterGradient(x, dy, geometry, options).map(
          (v) => v * bound(tiles),
        );
        expectWithin(got.gradients.w, dw.data, allowedW);
      });
    }
  }
});
