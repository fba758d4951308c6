import { sizeOf, type GpuArray } from '../gpu/array.js';
import type { Runtime } from '../gpu/runtime.js';
import { reduceGeometry, type ReduceGeometry } from './lib/reduce_geometry.js';

const WORKGROUP = 64;

/** What is computed from the terms, with the KIND of the shaders. */
const kinds = { sum: 0, max: 1, min: 2, deviation: 3, ties: 4, prod: 5, nonzeroProd: 6 } as const;
export type ReduceKind = keyof typeof kinds;

/** What results of parts of the terms are reduced by. */
const combining = {
  sum: 'sum',
  max: 'max',
  min: 'min',
  deviation: 'sum',
  ties: 'sum',
  prod: 'prod',
  nonzeroProd: 'prod',
} as const satisfies Record<ReduceKind, ReduceKind>;

export const reduceVariants = ['naive', 'sliced'] as const;
export type ReduceVariant = (typeof reduceVariants)[number];

export interface ReduceLaunch {
  /** The result is multiplied by it. Default 1. */
  scale?: number;
  /** One value an output: what deviation and ties compare with. */
  center?: GpuArray | undefined;
  variant?: ReduceVariant | undefined;
}

/**
 * Reduces x to one number per output, in fixed order: the sum, the extreme, the sum of (x − center)²
 * (deviation), how many elements equal center (ties), the product, or that of the elements that are
 * not 0 (nonzeroProd). x of `geometry` → [outputs].
 */
export function reduceArray(
  runtime: Runtime,
  x: GpuArray,
  geometry: ReduceGeometry,
  kind: ReduceKind,
  options: ReduceLaunch = {},
): GpuArray {
  const { scale = 1, variant } = options;
  // Rows come to columns, and these to one number, by the same kernel.
  const isPlain = combining[kind] === kind;
  const rows = variant === undefined && isPlain ? rowsOfTotal(geometry) : null;
  if (rows) {
    const columns = reduceArray(runtime, x, rows, kind);
    const total = reduceArray(runtime, columns, reduceGeometry([COLUMNS], [0])!, kind, { scale });
    columns.release();
    return total;
  }
  const slices = variant === 'naive' ? 1 : chooseSlices(runtime, geometry, variant === 'sliced');
  if (slices === 1) return reduceOnce(runtime, x, geometry, kind, 1, options);
  const partial = reduceOnce(runtime, x, geometry, kind, slices, { ...options, scale: 1 });
  const { outputs } = geometry;
  const rest = geometry.isLastReduced
    ? reduceGeometry([outputs, slices], [1])!
    : reduceGeometry([slices, outputs], [0])!;
  const y = reduceArray(runtime, partial, rest, combining[kind], { scale });
  partial.release();
  return y;
}

/** Row length for reducing a long array to one number. */
const COLUMNS = 256;

/**
 * A full reduction as rows that are first summed into columns, four at a time; null for several results
 * or a short array.
 */
function rowsOfTotal({ outputs, terms }: ReduceGeometry): ReduceGeometry | null {
  const isLong = outputs === 1 && terms >= 64 * COLUMNS && terms % COLUMNS === 0;
  return isLong ? reduceGeometry([terms / COLUMNS, COLUMNS], [0]) : null;
}

/** Sum over every axis but the last; x [… K] → [K]. The gradient of a bias. */
export function sumLeadingAxes(
  runtime: Runtime,
  x: GpuArray,
  options: { variant?: ReduceVariant | undefined } = {},
): GpuArray {
  const k = x.shape.at(-1) ?? 1;
  const geometry = reduceGeometry([x.size / k, k], [0])!;
  const sum = reduceArray(runtime, x, geometry, 'sum', options);
  return reshaped(sum, [k]);
}

/** The same array under another shape of the same size; takes `array`. */
export function reshaped(array: GpuArray, shape: readonly number[]): GpuArray {
  const view = array.view(shape);
  array.release();
  return view;
}

/**
 * Undoes broadcasting: sums `gradient` over the axes along which an operand of `shape` was
 * repeated. Takes `gradient`.
 */
export function sumToShape(
  runtime: Runtime,
  gradient: GpuArray,
  shape: readonly number[],
): GpuArray {
  const from = gradient.shape;
  if (sizeOf(from) === sizeOf(shape)) {
    return from.join() === shape.join() ? gradient : reshaped(gradient, shape);
  }
  const skipped = from.length - shape.length;
  const axes = from.flatMap((_, axis) =>
    axis < skipped || shape[axis - skipped] === 1 ? [axis] : [],
  );
  const sum = reduceArray(runtime, gradient, reduceGeometry(from, axes)!, 'sum');
  gradient.release();
  return reshaped(sum, shape);
}

/** How many invocations share the terms of one output. */
function chooseSlices(runtime: Runtime, geometry: ReduceGeometry, isForced: boolean): number {
  const { outputs, terms } = geometry;
  if (isForced && terms < 64) return Math.min(2, terms);
  // Sixteen invocations with a vector column each keep two cores busy without a second dispatch.
  const isWide = runtime.info.isSoftware && isColumns(geometry) && outputs >= 64;
  if (!isForced && isWide && terms <= 4096) return 1;
  // Short sums: a second dispatch costs more than it saves, and on a software adapter long loops are
  // cheap.
  if (!isForced && terms < (runtime.info.isSoftware ? 256 : 64)) return 1;
  // 2,000 invocations keep two cores busy; a GPU needs tens of thousands.
  const wanted = Math.ceil((runtime.info.isSoftware ? 2048 : 65536) / outputs);
  // At least 16 terms per slice keep the partial sums small compared with x.
  const slices = Math.min(wanted, Math.ceil(terms / 16));
  return isForced ? Math.max(2, slices) : slices;
}

/** One dispatch: [outputs], or the partial results of each slice. */
function reduceOnce(
  runtime: Runtime,
  x: GpuArray,
  geometry: ReduceGeometry,
  kind: ReduceKind,
  slices: number,
  { scale = 1, center, variant }: ReduceLaunch,
): GpuArray {
  const { outputs, terms, keptShape, keptStrides, reducedShape, reducedStrides } = geometry;
  const y = runtime.alloc([outputs * slices]);
  const common = {
    op: `reduce ${kind}`,
    bindings: { x, center: center ?? runtime.placeholder, y },
    flops: outputs * terms,
    bytes: x.byteLength + y.byteLength,
  };
  if (variant !== 'naive' && isColumns(geometry)) {
    const [, batches, width] = keptShape;
    // Small workgroups spread few invocations over both cores.
    const size = runtime.info.isSoftware && slices === 1 ? 8 : WORKGROUP;
    runtime.dispatch({
      ...common,
      shader: 'reduce_forward_columns_vec4',
      tune: { SIZE: size },
      constants: { KIND: kinds[kind] },
      params: { rows: terms, columns: width / 4, slices, scale, batches },
      groups: Math.ceil(((outputs / 4) * slices) / size),
    });
    return y;
  }
  const params = {
    kept_shape: keptShape,
    outputs,
    kept_strides: keptStrides,
    scale,
    reduced_shape: reducedShape,
    reduced_strides: reducedStrides,
  };
  const groups = Math.ceil((outputs * slices) / WORKGROUP);
  if (slices === 1) {
    const constants = { KIND: kinds[kind] };
    runtime.dispatch({ ...common, shader: 'reduce_forward_naive', constants, params, groups });
    return y;
  }
  runtime.dispatch({
    ...common,
    shader: 'reduce_forward_sliced',
    constants: {
      KIND: kinds[kind],
      SLICES_FIRST: geometry.isLastReduced,
      IS_ONE_AXIS: reducedShape[0] === 1 && reducedShape[1] === 1,
    },
    params: { ...params, slices },
    groups,
  });
  return y;
}

/** Rows summed into columns, four columns at a time: [B, rows, K] with K a multiple of four. */
function isColumns({ keptShape, reducedShape, isLastReduced }: ReduceGeometry): boolean {
  const isMatrices =
    keptShape[0] === 1 && reducedShape[0] * reducedShape[1] === 1 && !isLastReduced;
  return isMatrices && keptShape[2] % 4 === 0;
}
