/**
 * Types of the float64 reference: plain loops that say what each op computes, forward and backward. The tests hold
 * every kernel against them. Nothing here knows of the GPU.
 */

/** A dense row-major array. Labels, indices and masks are kept as numbers too. */
export interface RefArray {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

/**
 * A computed array with what the error bound of a float32 kernel needs:
 *
 *     |got − data| ≤ (8 + √terms) · 2⁻²⁴ · magnitude        (elementwise)
 *
 * For sums of products `magnitude` is Σ|a·b|. Where other functions take part it is a condition-style bound: the
 * result's own size (its last rounding), plus how far it moves when the inputs move by one rounding, plus what the
 * accuracy table of the WGSL specification allows its built-ins (see lib/accuracy.ts). Integer, copied and selected
 * results have magnitude |data|.
 */
export interface RefOutput extends RefArray {
  /** Σ|a·b| behind each element, or the bound described above. */
  readonly magnitude: Float64Array;
  /** L: products summed per element (the largest over the elements), at least 1. */
  readonly terms: number;
}

/** Inputs by the name the op gives them; optional ones may be absent or undefined. */
export type RefInputs = Readonly<Record<string, RefArray | undefined>>;

/** What a forward pass returns: the output, and further results such as batch norm's new running statistics. */
export interface RefResult {
  y: RefOutput;
  extra?: Record<string, RefOutput>;
}

/** One op, written twice: what it computes and how its gradients follow. */
export interface Reference<O> {
  forward(inputs: RefInputs, options: O): RefResult;
  /** Gradients by input name, for the differentiable inputs that are present and for no other. */
  backward(inputs: RefInputs, options: O, dy: RefArray): Record<string, RefOutput>;
}
