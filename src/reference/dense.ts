/**
 * Fully connected layer: y[…,o] = f( bias[o] + Σ_i x[…,i] · w[i,o] ), w [in, out].
 */
import { need, sizeOf } from './lib/arrays.js';
import { bilinearForward, namedGradients, type Bilinear } from './lib/bilinear.js';
import type { Activation } from './lib/scalar_functions.js';
import type { Reference, RefInputs } from './types.js';

export type DenseReferenceOptions = { activation?: Activation };

function describe(inputs: RefInputs, options: DenseReferenceOptions): Bilinear {
  const x = need(inputs, 'x');
  const w = need(inputs, 'w');
  const [I, O] = w.shape;
  const leading = x.shape.slice(0, -1);
  return {
    x,
    w,
    bias: inputs.bias,
    activation: options.activation,
    yShape: [...leading, O],
    forEachProduct(visit) {
      for (let n = 0; n < sizeOf(leading); n++)
        for (let o = 0; o < O; o++)
          for (let i = 0; i < I; i++) visit(n * I + i, i * O + o, n * O + o);
    },
  };
}

export const denseReference: Reference<DenseReferenceOptions> = {
  forward: (inputs, options) => ({ y: bilinearForward(describe(inputs, options)) }),
  backward: (inputs, options, dy) => namedGradients(describe(inputs, options), dy),
};
