/**
 * Depthwise convolution: every input channel c has M filters of its own, w [R S C M], and makes the output channels
 * c·M … c·M + M − 1.
 *
 *     y[n,p,q,c·M+m] = f( bias[c·M+m] + residual[n,p,q,c·M+m] + Σ_{r,s} x[n, p·stride − top + r·dilation, q·stride − left + s·dilation, c] · w[r,s,c,m] )
 */
import { need } from './lib/arrays.js';
import { bilinearForward, namedGradients, type Bilinear } from './lib/bilinear.js';
import type { Activation } from './lib/scalar_functions.js';
import { tapPosition, windowAxis, type Padding, type Pair } from './lib/windows.js';
import type { Reference, RefInputs } from './types.js';

/** Defaults: stride 1, padding 'valid', dilation 1, no activation. */
export type DepthwiseConv2dReferenceOptions = {
  stride?: Pair;
  padding?: Padding;
  dilation?: Pair;
  activation?: Activation;
};

function describe(inputs: RefInputs, options: DepthwiseConv2dReferenceOptions): Bilinear {
  const x = need(inputs, 'x');
  const w = need(inputs, 'w');
  const [N, H, W, C] = x.shape;
  const [R, S, , M] = w.shape;
  const rows = windowAxis(0, H, R, options);
  const columns = windowAxis(1, W, S, options);
  const [P, Q] = [rows.outputs, columns.outputs];

  return {
    x,
    w,
    bias: inputs.bias,
    residual: inputs.residual,
    activation: options.activation,
    yShape: [N, P, Q, C * M],
    forEachProduct(visit) {
      for (let n = 0; n < N; n++)
        for (let p = 0; p < P; p++)
          for (let q = 0; q < Q; q++)
            for (let r = 0; r < R; r++)
              for (let s = 0; s < S; s++) {
                const h = tapPosition(rows, p, r);
                const column = tapPosition(columns, q, s);
                if (h < 0 || column < 0) continue;
                for (let c = 0; c < C; c++)
                  for (let m = 0; m < M; m++) {
                    visit(
                      ((n * H + h) * W + column) * C + c,
                      ((r * S + s) * C + c) * M + m,
                      ((n * P + p) * Q + q) * C * M + c * M + m,
                    );
                  }
              }
    },
  };
}

export const depthwiseConv2dReference: Reference<DepthwiseConv2dReferenceOptions> = {
  forward: (inputs, options) => ({ y: bilinearForward(describe(inputs, options)) }),
  backward: (inputs, options, dy) => namedGradients(describe(inputs, options), dy),
};
