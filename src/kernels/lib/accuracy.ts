/** How far a kernel's results may be from the naive kernel's: for the bench and the autotuner. */

/**
 * The error that float32 sums of `terms` products may have in any order, where the sizes of the
 * products add up to `magnitude`.
 */
export function allowedError(terms: number, magnitude: number): number {
  return (8 + Math.sqrt(terms)) * 2 ** -24 * magnitude;
}

/**
 * The largest Σ|a·b| over `terms` products of normal numbers that an array of results may hold: each
 * term is 2/π in the mean with a standard deviation of 0.77, and one sum in millions lies five
 * deviations above.
 */
export function sumOfSizes(terms: number): number {
  return (2 / Math.PI) * terms + 5 * 0.77 * Math.sqrt(terms);
}

/**
 * The first element of `got` farther than `allowed` from `want`, in words; null if there is
 * none. Compared so that NaN is a difference.
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
