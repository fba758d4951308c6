import { sizeOf } from '../../gpu/array.js';

export type Triple = readonly [number, number, number];

/**
 * A reduction for kernels: lengths and strides of the kept and the reduced axes of x, with adjacent
 * axes of one kind merged and leading 1s up to three axes.
 */
export interface ReduceGeometry {
  keptShape: Triple;
  keptStrides: Triple;
  reducedShape: Triple;
  reducedStrides: Triple;
  outputs: number;
  terms: number;
  /** True where the last axis of x is reduced: the terms of one output lie side by side. */
  isLastReduced: boolean;
}

interface MergedAxis {
  isReduced: boolean;
  length: number;
  stride: number;
}

/**
 * The geometry of reducing `axes` (not negative) of `shape`; null if merging leaves more than
 * three axes of a kind, which takes seven dimensions.
 */
export function reduceGeometry(
  shape: readonly number[],
  axes: readonly number[],
): ReduceGeometry | null {
  const merged = mergeAxes(shape, axes);
  const kept = merged.filter((axis) => !axis.isReduced);
  const reduced = merged.filter((axis) => axis.isReduced);
  if (kept.length > 3 || reduced.length > 3) return null;
  const lengths = (list: MergedAxis[]) =>
    triple(
      list.map((axis) => axis.length),
      1,
    );
  const strides = (list: MergedAxis[]) =>
    triple(
      list.map((axis) => axis.stride),
      0,
    );
  return {
    keptShape: lengths(kept),
    keptStrides: strides(kept),
    reducedShape: lengths(reduced),
    reducedStrides: strides(reduced),
    outputs: sizeOf(kept.map((axis) => axis.length)),
    terms: sizeOf(reduced.map((axis) => axis.length)),
    isLastReduced: merged.at(-1)?.isReduced ?? false,
  };
}

/** Runs of kept or reduced axes as one axis each, the outermost first. */
function mergeAxes(shape: readonly number[], axes: readonly number[]): MergedAxis[] {
  const merged: MergedAxis[] = [];
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const length = shape[axis];
    // An axis of length 1 can be dropped, whichever kind it is.
    if (length === 1) continue;
    const isReduced = axes.includes(axis);
    const inner = merged[0];
    if (inner && inner.isReduced === isReduced) inner.length *= length;
    else merged.unshift({ isReduced, length, stride });
    stride *= length;
  }
  return merged;
}

function triple(values: number[], filler: number): Triple {
  while (values.length < 3) values.unshift(filler);
  return values as unknown as Triple;
}
