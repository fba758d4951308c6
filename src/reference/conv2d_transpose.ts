/**
 * Transposed convolution: conv2d's gradient with respect to its input, used as a forward op. Filters w [R S K C] put
 * the output channels before the input channels, as Keras does, so that w is the filter of the convolution K → C whose
 * input gradient this is. With groups, w is [R S K/groups C], counts k within its group, and c runs over that group alone.
 *
 *     y[n, h·stride − top + r·dilation, w·stride − left + s·dilation, k] += Σ_c x[n,h,w,c] · w[r,s,k,c]     (+ bias[k])
 *
 * Size of y per axis, with extent = (R − 1)·dilation + 1:
 *     'same'      H·stride;  of max(extent − stride, 0) the smaller half is cut off before, the larger after
 *     'valid'     (H − 1)·stride + extent
 *     explicit    (H − 1)·stride + extent − before − after
 * plus `outputPadding` rows at the bottom and columns at the right, which hold whatever taps reach them.
 */
import { need } from './lib/arrays.js';
import { bilinearForward, namedGradients, type Bilinear } from './lib/bilinear.js';
import type { Activation } from './lib/scalar_functions.js';
import { pairAt, paddingAt, tapPosition, type Padding, type Pair } from './lib/windows.js';
import type { WindowAxis } from './lib/windows.js';
import type { Reference, RefInputs } from './types.js';

/** Defaults: stride 1, padding 'valid', dilation 1, groups 1, outputPadding 0, no activation. */
export type Conv2dTransposeReferenceOptions = {
  stride?: Pair;
  padding?: Padding;
  dilation?: Pair;
  groups?: number;
  outputPadding?: Pair;
  activation?: Activation;
};

/** The window axis of the convolution that this op transposes: its outputs are our inputs, its length is our output. */
function transposedAxis(
  axis: 0 | 1,
  inputs: number,
  kernel: number,
  options: Conv2dTransposeReferenceOptions,
): WindowAxis {
  const stride = pairAt(options.stride ?? 1, axis);
  const dilation = pairAt(options.dilation ?? 1, axis);
  const padding = options.padding ?? 'valid';
  const extent = (kernel - 1) * dilation + 1;
  const [before, after] = paddingAt(padding, axis, inputs * stride, extent, stride);
  const natural =
    padding === 'same' ? inputs * stride : (inputs - 1) * stride + extent - before - after;
  const length = natural + pairAt(options.outputPadding ?? 0, axis);
  return { length, kernel, stride, dilation, before, after, outputs: inputs };
}

function describe(inputs: RefInputs, options: Conv2dTransposeReferenceOptions): Bilinear {
  const x = need(inputs, 'x');
  const w = need(inputs, 'w');
  const [N, H, W, C] = x.shape;
  const { groups = 1 } = options;
  const [R, S, groupOutputs] = w.shape;
  const [K, groupInputs] = [groupOutputs * groups, C / groups];
  const rows = transposedAxis(0, H, R, options);
  const columns = transposedAxis(1, W, S, options);
  const [P, Q] = [rows.length, columns.length];

  return {
    x,
    w,
    bias: inputs.bias,
    activation: options.activation,
    yShape: [N, P, Q, K],
    forEachProduct(visit) {
      for (let n = 0; n < N; n++)
        for (let h = 0; h < H; h++)
          for (let column = 0; column < W; column++)
            for (let r = 0; r < R; r++)
              for (let s = 0; s < S; s++) {
                const p = tapPosition(rows, h, r);
                const q = tapPosition(columns, column, s);
                if (p < 0 || q < 0) continue;
                for (let k = 0; k < K; k++)
                  for (let i = 0; i < groupInputs; i++) {
                    const c = Math.floor(k / groupOutputs) * groupInputs + i;
                    visit(
                      ((n * H + h) * W + column) * C + c,
                      ((r * S + s) * groupOutputs + (k % groupOutputs)) * C + c,
                      ((n * P + p) * Q + q) * K + k,
                    );
                  }
              }
    },
  };
}

export const conv2dTransposeReference: Reference<Conv2dTransposeReferenceOptions> = {
  forward: (inputs, options) => ({ y: bilinearForward(describe(inputs, options)) }),
  backward: (inputs, options, dy) => namedGradients(describe(inputs, options), dy),
};
