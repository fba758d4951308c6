/** Functions applied to each element: y = f(x), dx = dy · f′(x). The functions are in lib/scalar_functions.ts. */
import { fillOutput, need } from './lib/arrays.js';
import { scalarFunctions, type ScalarName, type ScalarParameters } from './lib/scalar_functions.js';
import type { Reference } from './types.js';

export type UnaryReferenceOptions = ScalarParameters & { op: ScalarName };

export const unaryReference: Reference<UnaryReferenceOptions> = {
  forward(inputs, options) {
    const x = need(inputs, 'x');
    const f = scalarFunctions[options.op];
    return {
      y: fillOutput(x.shape, (flat) => ({
        value: f.value(x.data[flat], options),
        magnitude: f.valueMagnitude(x.data[flat], options),
      })),
    };
  },
  backward(inputs, options, dy) {
    const x = need(inputs, 'x');
    const f = scalarFunctions[options.op];
    return {
      x: fillOutput(x.shape, (flat) => ({
        value: dy.data[flat] * f.slope(x.data[flat], options),
        magnitude: Math.abs(dy.data[flat]) * f.slopeMagnitude(x.data[flat], options),
      })),
    };
  },
};
