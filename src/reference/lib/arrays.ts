/** Shapes, row-major indices and sums that remember Σ|term| for the error bound. */
import type { RefArray, RefInputs, RefOutput } from '../types.js';

/** Number of elements of a shape; 1 for a scalar. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}

/** Row-major strides, in elements. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length).fill(1);
  for (let axis = shape.length - 2; axis >= 0; axis--) {
    strides[axis] = strides[axis + 1] * shape[axis + 1];
  }
  return strides;
}

/** Calls `visit` with the flat index and the coordinates of every element, in row-major order. */
export function forEachIndex(
  shape: readonly number[],
  visit: (flat: number, index: readonly number[]) => void,
): void {
  const index = new Array<number>(shape.length).fill(0);
  const size = sizeOf(shape);
  for (let flat = 0; flat < size; flat++) {
    visit(flat, index);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      if (++index[axis] < shape[axis]) break;
      index[axis] = 0;
    }
  }
}

/** Turns −1 into the last axis, and so on. */
export function normalizeAxis(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}

/** Splits a shape around one axis: flat index = (outer · length + i) · inner + rest. */
export function splitAtAxis(shape: readonly number[], axis: number) {
  const at = normalizeAxis(axis, shape.length);
  return {
    outer: sizeOf(shape.slice(0, at)),
    length: shape[at],
    inner: sizeOf(shape.slice(at + 1)),
  };
}

/** The input of that name; absent means the caller of the reference is wrong, so it throws. */
export function need(inputs: RefInputs, name: string): RefArray {
  const array = inputs[name];
  if (!array) throw new Error(`reference: input ${name} is missing`);
  return array;
}

/** Collects sums element by element, with Σ|term| and the number of terms beside them. */
export class Accumulator {
  readonly data: Float64Array;
  readonly magnitude: Float64Array;
  private readonly counts: Uint32Array;

  constructor(readonly shape: readonly number[]) {
    this.data = new Float64Array(sizeOf(shape));
    this.magnitude = new Float64Array(this.data.length);
    this.counts = new Uint32Array(this.data.length);
  }

  /** Adds one term; `magnitude` is given where a factor of the term is itself a rounded result. */
  add(index: number, term: number, magnitude = Math.abs(term)): void {
    this.data[index] += term;
    this.magnitude[index] += magnitude;
    this.counts[index]++;
  }

  /** The finished array; `inherited` is the number of terms behind the factors, where they were sums themselves. */
  finish(inherited = 1): RefOutput {
    const terms = this.counts.reduce((most, count) => Math.max(most, count), inherited);
    return { shape: this.shape, data: this.data, magnitude: this.magnitude, terms };
  }
}

/** An output computed element by element; `magnitude` defaults to |value|. */
export function fillOutput(
  shape: readonly number[],
  element: (flat: number) => { value: number; magnitude?: number },
  terms = 1,
): RefOutput {
  const data = new Float64Array(sizeOf(shape));
  const magnitude = new Float64Array(data.length);
  for (let flat = 0; flat < data.length; flat++) {
    const result = element(flat);
    data[flat] = result.value;
    magnitude[flat] = result.magnitude ?? Math.abs(result.value);
  }
  return { shape, data, magnitude, terms };
}

/** An output whose elements are copies: y[flat] = x[source(flat)]. */
export function copyOutput(
  shape: readonly number[],
  x: RefArray,
  source: (flat: number) => number,
): RefOutput {
  return fillOutput(shape, (flat) => ({ value: x.data[source(flat)] }));
}
