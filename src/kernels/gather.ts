import { type DType, type GpuArray, sizeOf } from '../gpu/array.js';
import type { Runtime } from '../gpu/runtime.js';
import { copyElem } from './lib/box_geometry.js';

const WORKGROUP = 64;
/** Above this many comparisons per column, the columns kernel is faster. */
const SCAN_LIMIT = 1 << 12;

export type GatherVariant = 'naive' | 'vec4' | 'columns';

/** x as [outer, length, inner] and the number of indices. */
export interface GatherGeometry {
  outer: number;
  length: number;
  inner: number;
  picks: number;
}

export function gatherGeometry(
  xShape: readonly number[],
  indicesShape: readonly number[],
  axis: number,
): GatherGeometry {
  return {
    outer: sizeOf(xShape.slice(0, axis)),
    length: xShape[axis],
    inner: sizeOf(xShape.slice(axis + 1)),
    picks: sizeOf(indicesShape),
  };
}

/**
 * Forward has a vec4 kernel, backward a columns kernel; a name that a direction lacks means its
 * default.
 */
export function gatherVariants({ inner }: GatherGeometry): GatherVariant[] {
  return inner % 4 === 0 ? ['naive', 'vec4', 'columns'] : ['naive', 'columns'];
}

/** Bits of the result for an index out of range: NaN, or an unlikely integer. */
export const outside: Partial<Record<DType, number>> = {
  f32: 0x7fc00000,
  i32: 0x80000000,
  u32: 0xffffffff,
};

/** y[o, p, i] = x[o, indices[p], i]; f32, i32 or u32 → `shape`. */
export function gatherForward(
  runtime: Runtime,
  x: GpuArray,
  indices: GpuArray,
  shape: readonly number[],
  { length, picks, inner }: GatherGeometry,
  variant?: GatherVariant,
): GpuArray {
  const y = runtime.alloc(shape, x.dtype);
  // Vectors wherever they fit: fewer and wider loads.
  const isVector = variant !== 'naive' && inner % 4 === 0;
  const width = isVector ? 4 : 1;
  const threads = y.size / width;
  runtime.dispatch({
    shader: 'gather_forward_naive',
    op: 'gather forward',
    tune: { Elem: copyElem(isVector ? 'vec4' : 'naive') },
    constants: { IS_SIGNED: indices.dtype === 'i32' },
    bindings: { x, indices, y },
    params: { size: threads, length, picks, inner: inner / width, outside: outside[x.dtype]! },
    groups: Math.ceil(threads / WORKGROUP),
    bytes: 8 * y.size + 4 * picks,
  });
  return y;
}

/** dx[o, l, i] = Σ_{p: indices[p] = l} dy[o, p, i], in the order of p; dy f32 → `shape`. */
export function gatherBackward(
  runtime: Runtime,
  dy: GpuArray,
  indices: GpuArray,
  shape: readonly number[],
  { outer, length, picks, inner }: GatherGeometry,
  variant?: GatherVariant,
): GpuArray {
  const dx = runtime.alloc(shape);
  const common = {
    op: 'gather backward',
    constants: { IS_SIGNED: indices.dtype === 'i32' },
    bindings: { dy, indices, dx },
    flops: dy.size,
    bytes: 4 * (dy.size + dx.size + picks),
  };
  // The naive kernel has more invocations, but each compares with every index.
  const isColumns = variant ? variant === 'columns' : length * picks > SCAN_LIMIT;
  const threads = isColumns ? outer * inner : dx.size;
  runtime.dispatch({
    ...common,
    shader: isColumns ? 'gather_backward_columns' : 'gather_backward_naive',
    params: { [isColumns ? 'columns' : 'size']: threads, length, picks, inner },
    groups: Math.ceil(threads / WORKGROUP),
  });
  return dx;
}
