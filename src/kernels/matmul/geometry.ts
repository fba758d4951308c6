import type { DeviceInfo } from '../../gpu/adapter.js';
import { sizeOf, type DType } from '../../gpu/array.js';

/** Which operands are stored with their last two axes swapped. */
export interface Transposes {
  transposeA?: boolean | undefined;
  transposeB?: boolean | undefined;
}

/**
 * The sizes of a matmul of a […, M, K] and b […, K, N]. Leading axes that broadcast alike are merged,
 * so kernels see at most four.
 */
export interface MatmulGeometry {
  m: number;
  n: number;
  k: number;
  transposeA: boolean;
  transposeB: boolean;
  /** The output's leading axes, before merging. */
  leading: readonly number[];
  /** The same, merged; four numbers, outermost first. */
  batchShape: readonly number[];
  /** Bit i is set where a, or b, is repeated along batchShape[i]. */
  aRepeats: number;
  bRepeats: number;
}

/** Element types of a and b. */
export type OperandTypes = readonly [a: DType, b: DType];

/** What a kernel is chosen for. */
export interface MatmulProblem {
  geometry: MatmulGeometry;
  types: OperandTypes;
  info: DeviceInfo;
}

/** Most batch axes that kernels support. */
export const MOST_BATCH_AXES = 4;

/** Leading axes of both operands as NumPy broadcasts them; null if they do not fit. */
export function broadcastLeading(
  a: readonly number[],
  b: readonly number[],
): readonly number[] | null {
  const rank = Math.max(a.length, b.length);
  const shape: number[] = [];
  for (let axis = 0; axis < rank; axis++) {
    const p = a[axis - rank + a.length] ?? 1;
    const q = b[axis - rank + b.length] ?? 1;
    if (p !== q && p !== 1 && q !== 1) return null;
    shape.push(p === 1 ? q : p);
  }
  return shape;
}

/** Neighbouring axes that broadcast alike, merged into one; axes of length 1 are dropped. */
export function mergeBatchAxes(
  a: readonly number[],
  b: readonly number[],
): { length: number; isARepeated: boolean; isBRepeated: boolean }[] {
  const shape = broadcastLeading(a, b)!;
  const merged: { length: number; isARepeated: boolean; isBRepeated: boolean }[] = [];
  shape.forEach((length, axis) => {
    if (length === 1) return;
    const isARepeated = (a[axis - shape.length + a.length] ?? 1) === 1;
    const isBRepeated = (b[axis - shape.length + b.length] ?? 1) === 1;
    const last = merged.at(-1);
    if (last?.isARepeated === isARepeated && last.isBRepeated === isBRepeated) {
      last.length *= length;
    } else merged.push({ length, isARepeated, isBRepeated });
  });
  return merged;
}

/** Geometry of operands whose shapes are known to fit. */
export function matmulGeometry(
  a: readonly number[],
  b: readonly number[],
  { transposeA = false, transposeB = false }: Transposes,
): MatmulGeometry {
  const [rows, columns] = a.slice(-2) as [number, number];
  const [m, k] = transposeA ? [columns, rows] : [rows, columns];
  const n = b.at(transposeB ? -2 : -1)!;
  const leading = broadcastLeading(a.slice(0, -2), b.slice(0, -2))!;
  const axes = mergeBatchAxes(a.slice(0, -2), b.slice(0, -2));
  const common = { n, k, transposeA, transposeB, leading };
  if (!transposeA && axes.length === 1 && axes[0].isBRepeated) {
    // A shared b: the matrices of a form one tall matrix.
    const tall = m * axes[0].length;
    return { ...common, m: tall, batchShape: [1, 1, 1, 1], aRepeats: 0, bRepeats: 0 };
  }
  while (axes.length < MOST_BATCH_AXES) {
    axes.unshift({ length: 1, isARepeated: false, isBRepeated: false });
  }
  const bits = (isSet: (axis: (typeof axes)[number]) => boolean): number =>
    axes.reduce((sum, axis, i) => sum + (isSet(axis) ? 2 ** i : 0), 0);
  return {
    ...common,
    m,
    batchShape: axes.map((axis) => axis.length),
    aRepeats: bits((axis) => axis.isARepeated),
    bRepeats: bits((axis) => axis.isBRepeated),
  };
}

/** […, M, N] of a product of `a`, before merging. */
export function productShape(
  a: readonly number[],
  { leading, transposeA, n }: MatmulGeometry,
): number[] {
  return [...leading, a.at(transposeA ? -1 : -2)!, n];
}

/** FLOP, and bytes when each array is touched once, of operands of 4 bytes per element. */
export function matmulCost(geometry: MatmulGeometry): { flops: number; bytes: number } {
  const { m, n, k, batchShape, aRepeats, bRepeats } = geometry;
  const matricesOf = (repeats: number): number =>
    batchShape.reduce((count, length, i) => count * ((repeats >> i) & 1 ? 1 : length), 1);
  const batches = sizeOf(batchShape);
  return {
    flops: 2 * batches * m * n * k,
    bytes: 4 * (matricesOf(aRepeats) * m * k + matricesOf(bRepeats) * k * n + batches * m * n),
  };
}

/** Parameters of every kernel. */
export function sizeParams({ m, n, k, batchShape, aRepeats, bRepeats }: MatmulGeometry) {
  return {
    batch_shape: batchShape,
    m,
    n,
    k,
    batches: sizeOf(batchShape),
    a_repeats: aRepeats,
    b_repeats: bRepeats,
  };
}

/** Key of tuned choices; src/tune/kernel_key.ts parses it. */
export function matmulKey({ geometry: g, types: [a, b] }: Omit<MatmulProblem, 'info'>): string {
  const batch = `${g.batchShape.join('×')} repeats=${g.aRepeats},${g.bRepeats}`;
  const order = `${g.transposeA ? 'T' : 'N'}${g.transposeB ? 'T' : 'N'}`;
  return `matmul ${order} ${a} ${b} m=${g.m} n=${g.n} k=${g.k} batch=${batch}`;
}
