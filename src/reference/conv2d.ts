/**
 * Two-dimensional convolution (cross-correlation), NHWC, filters R S C/groups K.
 *
 *     y[n,p,q,k] = f( bias[k] + residual[n,p,q,k] + Σ_{r,s,c} x[n, p·stride − top + r·dilation, q·stride − left + s·dilation, c] · w[r,s,c,k] )
 *
 * With groups, output channel k of group k ÷ (K/groups) sees only that group's C/groups input channels.
 */
import { need } from './lib/arrays.js';
import { bilinearForward, namedGradients, type Bilinear } from './lib/bilinear.js';
import type { Activation } from './lib/scalar_functions.js';
import { tapPosition, windowAxis, type Padding, type Pair } from './lib/windows.js';
import type { Reference, RefInputs } from './types.js';

/** Defaults: stride 1, padding 'valid', dilation 1, groups 1, no activation. */
export type Conv2dReferenceOptions = {
  stride?: Pair;
  padding?: Padding;
  dilation?: Pair;
  groups?: number;
  activation?: Activation;
};

function describe(inputs: RefInputs, options: Conv2dReferenceOptions): Bilinear {
  const x = need(inputs, 'x');
  const w = need(inputs, 'w');
  const [N, H, W, C] = x.shape;
  const [R, S, groupC, K] = w.shape;
  const groups = options.groups ?? 1;
  const groupK = K / groups;
  const rows = windowAxis(0, H, R, options);
  const columns = windowAxis(1, W, S, options);
  const [P, Q] = [rows.outputs, columns.outputs];

  return {
    x,
    w,
    bias: inputs.bias,
    residual: inputs.residual,
    activation: options.activation,
    yShape: [N, P, Q, K],
    forEachProduct(visit) {
      for (let n = 0; n < N; n++)
        for (let p = 0; p < P; p++)
          for (let q = 0; q < Q; q++)
            for (let r = 0; r < R; r++)
              for (let s = 0; s < S; s++) {
                const h = tapPosition(rows, p, r);
                const column = tapPosition(columns, q, s);
                if (h < 0 || column < 0) continue;
                for (let k = 0; k < K; k++) {
                  const firstC = Math.floor(k / groupK) * groupC;
                  for (let c = 0; c < groupC; c++) {
                    visit(
                      ((n * H + h) * W + column) * C + firstC + c,
                      ((r * S + s) * groupC + c) * K + k,
                      ((n * P + p) * Q + q) * K + k,
                    );
                  }
                }
              }
    },
  };
}

export const conv2dReference: Reference<Conv2dReferenceOptions> = {
  forward: (inputs, options) => ({ y: bilinearForward(describe(inputs, options)) }),
  backward: (inputs, options, dy) => namedGradients(describe(inputs, options), dy),
};
