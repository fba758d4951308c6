/** How far a kernel's results may differ from the naive kernel's, for the bench and the autotuner. */

/**
 * Error bound of float32 sums of `terms` products in any order; `magnitude` is the sum of the products'
 * absolute values.
 */
export function allowedError(terms: number, magnitude: number): number {
  return (8 + Math.sqrt(terms)) * 2 ** -24 * magnitude;
}

/**
 * An upper bound of Σ|a·b| over `terms` products of normal numbers: each term is 2/π in the mean with a
 * standard deviation of 0.77, and one sum in millions lies five deviations above.
 */
export function sumOfSizes(terms: number): number {
  return (2 / Math.PI) * terms + 5 * 0.77 * Math.sqrt(terms);
}

/**
 * A message about the first element of `got` that differs from `want` by more than `allowed`; null if
 * there is none. NaN counts as a difference.
 */
export function firstDifference(
  got: Float32Array,
  want: Float32Array,
  allowed: number,
): string | null {
  if (got.length !== want.length) return `${got.length} values, expected ${want.length}`;
  for (let i = 0; i < got.length; i++) {
    if (Math.abs(got[i] - want[i]) <= allowed) continue;
    return `element ${i} is ${got[i]}, the naive kernel has ${want[i]}, allowed ±${allowed.toExponential(1)}`;
  }
  return null;
}
