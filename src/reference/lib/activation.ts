/** The activation fused behind convolutions, dense layers and batch norm: y = f(z), dz = dy · f′(z). */
import type { RefArray, RefOutput } from '../types.js';
import { scalarFunctions, type Activation } from './scalar_functions.js';
import { fillOutput } from './arrays.js';

/** y = f(z); the error of z passes on with at most the steepest slope of f. */
export function activate(z: RefOutput, activation?: Activation): RefOutput {
  if (!activation) return z;
  const f = scalarFunctions[activation];
  return fillOutput(
    z.shape,
    (flat) => ({
      value: f.value(z.data[flat], {}),
      magnitude: f.steepest * z.magnitude[flat] + f.valueMagnitude(z.data[flat], {}),
    }),
    z.terms,
  );
}

/** dz = dy · f′(z); f′ was taken at a rounded z, which matters where f is curved. */
export function gradientBeforeActivation(
  z: RefOutput,
  dy: RefArray,
  activation?: Activation,
): RefOutput {
  if (!activation) return fillOutput(dy.shape, (flat) => ({ value: dy.data[flat] }));
  const f = scalarFunctions[activation];
  return fillOutput(
    z.shape,
    (flat) => ({
      value: dy.data[flat] * f.slope(z.data[flat], {}),
      magnitude:
        Math.abs(dy.data[flat]) *
        (f.slopeMagnitude(z.data[flat], {}) + f.curvature * z.magnitude[flat]),
    }),
    f.curvature > 0 ? z.terms : 1,
  );
}
