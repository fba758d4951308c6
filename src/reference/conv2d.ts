/**
 * Two-dimensional convolution (cross-correlation), NHWC, filters R S C/groups K.
 *
 *     y[n,p,q,k] = f( bias[k] + residual[n,p,q,k] + Σ_{r,s,c} x[n, p·stride − top + r·dilation, q·stride − left + s·dilation, c] · w[r,s,c,k] )
 *
 * With groups, output channel k of group k ÷ (K/groups) sees only that group's C/groups input channels.
 */
import { activate, gradientBeforeActivation } from './lib/activation.js';
import { Accumulator, need } from './lib/arrays.js';
import type { Activation } from './lib/scalar_functions.js';
import { tapPosition, windowAxis, type Padding, type Pair } from './lib/windows.js';
import type { RefArray, Reference, RefInputs, RefOutput } from './types.js';

/** Defaults: stride 1, padding 'valid', dilation 1, groups 1, no activation. */
export type Conv2dReferenceOptions = {
  stride?: Pair;
  padding?: Padding;
  dilation?: Pair;
  groups?: number;
  activation?: Activation;
};

/** Positions of the numbers that one product multiplies, and of the output that it is added to. */
type Visit = (xAt: number, wAt: number, yAt: number) => void;

/** The seven loops of a convolution: every output, and every tap of its window. */
function loops(inputs: RefInputs, options: Conv2dReferenceOptions) {
  const [N, H, W, C] = need(inputs, 'x').shape;
  const [R, S, groupC, K] = need(inputs, 'w').shape;
  const groupK = K / (options.groups ?? 1);
  const rows = windowAxis(0, H, R, options);
  const columns = windowAxis(1, W, S, options);
  const [P, Q] = [rows.outputs, columns.outputs];

  const forEachProduct = (visit: Visit): void => {
    for (let n = 0; n < N; n++)
      for (let p = 0; p < P; p++)
        for (let q = 0; q < Q; q++)
          for (let k = 0; k < K; k++)
            for (let r = 0; r < R; r++)
              for (let s = 0; s < S; s++) {
                const h = tapPosition(rows, p, r);
                const w = tapPosition(columns, q, s);
                if (h < 0 || w < 0) continue; // on padding, which is zero
                const firstC = Math.floor(k / groupK) * groupC;
                for (let c = 0; c < groupC; c++) {
                  const xAt = ((n * H + h) * W + w) * C + firstC + c;
                  const wAt = ((r * S + s) * groupC + c) * K + k;
                  const yAt = ((n * P + p) * Q + q) * K + k;
                  visit(xAt, wAt, yAt);
                }
              }
  };
  return { forEachProduct, yShape: [N, P, Q, K] };
}

/** What the activation is applied to. */
function beforeActivation(inputs: RefInputs, options: Conv2dReferenceOptions): RefOutput {
  const { forEachProduct, yShape } = loops(inputs, options);
  const [x, w] = [need(inputs, 'x').data, need(inputs, 'w').data];
  const z = new Accumulator(yShape);
  forEachProduct((xAt, wAt, yAt) => z.add(yAt, x[xAt] * w[wAt]));
  const { bias, residual } = inputs;
  const K = yShape[3];
  if (bias) z.data.forEach((_, yAt) => z.add(yAt, bias.data[yAt % K]));
  if (residual) residual.data.forEach((value, yAt) => z.add(yAt, value));
  return z.finish();
}

function backward(
  inputs: RefInputs,
  options: Conv2dReferenceOptions,
  dy: RefArray,
): Record<string, RefOutput> {
  const { forEachProduct } = loops(inputs, options);
  const [x, w] = [need(inputs, 'x'), need(inputs, 'w')];
  const z = beforeActivation(inputs, options);
  const dz = gradientBeforeActivation(z, dy, options.activation);

  // y is linear in x and in w, so each product sends dz times the one factor to the other.
  const dx = new Accumulator(x.shape);
  const dw = new Accumulator(w.shape);
  forEachProduct((xAt, wAt, yAt) => {
    dx.add(xAt, dz.data[yAt] * w.data[wAt], dz.magnitude[yAt] * Math.abs(w.data[wAt]));
    dw.add(wAt, dz.data[yAt] * x.data[xAt], dz.magnitude[yAt] * Math.abs(x.data[xAt]));
  });
  const gradients: Record<string, RefOutput> = {
    x: dx.finish(dz.terms),
    w: dw.finish(dz.terms),
  };
  const { bias, residual } = inputs;
  if (bias) {
    const db = new Accumulator(bias.shape);
    const K = bias.shape[0];
    dz.data.forEach((value, yAt) => db.add(yAt % K, value, dz.magnitude[yAt]));
    gradients.bias = db.finish(dz.terms);
  }
  if (residual) gradients.residual = dz;
  return gradients;
}

export const conv2dReference: Reference<Conv2dReferenceOptions> = {
  forward: (inputs, options) => ({
    y: activate(beforeActivation(inputs, options), options.activation),
  }),
  backward,
};
