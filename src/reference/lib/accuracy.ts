/**
 * What the WGSL specification ("Floating Point Evaluation", accuracy table) lets f32 built-ins miss, restated as
 * contributions to `magnitude`. One ULP of v is at most 2⁻²³·|v|, two units of 2⁻²⁴·|v|. The test bound grants
 * (8 + √L) ≥ 9 units of 2⁻²⁴ per magnitude, so an absolute error e needs a magnitude of e·2²⁴/9.
 *
 *     x + y, x − y, x · y   correctly rounded           sqrt(x)    as 1 / inverseSqrt(x)
 *     x / y                 2.5 ULP                     exp(x)     3 + 2·|x| ULP
 *     inverseSqrt(x)        2 ULP                       pow(x, y)  as exp2(y · log2(x))
 *     log(x), log2(x)       2⁻²¹ absolute for x in [0.5, 2], else 3 ULP
 *     tanh(x)               1e-5 absolute
 *
 * Results below 2⁻¹²⁶ may be flushed to zero.
 */

/** Magnitude that grants an absolute error. */
function magnitudeOfError(absoluteError: number): number {
  return (absoluteError * 2 ** 24) / 9;
}

const FLUSHED = magnitudeOfError(2 ** -126);

/** exp(x), its value given: 3 + 2|x| ULP. */
export function expMagnitude(x: number, value = Math.exp(x)): number {
  return magnitudeOfError((3 + 2 * Math.abs(x)) * 2 ** -23 * value) + FLUSHED;
}

/** log(x): absolute between 0.5 and 2, relative outside. */
export function logMagnitude(x: number): number {
  const absolute = x >= 0.5 && x <= 2 ? 2 ** -21 : 0;
  return magnitudeOfError(Math.max(absolute, 3 * 2 ** -23 * Math.abs(Math.log(x))));
}

/** tanh(x): 1e-5 absolute. */
export const TANH_MAGNITUDE = magnitudeOfError(1e-5);
