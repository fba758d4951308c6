import type { DeviceInfo } from '../gpu/adapter.js';
import { type GpuArray, sizeOf } from '../gpu/array.js';
import type { Runtime } from '../gpu/runtime.js';

const WORKGROUP = 64;
const TILE = 32;
const MAX_GROUPS = 65535;

export type TransposeVariant = 'naive' | 'tiled';

/** Shape of y, and the strides in x, after merging axes that stay adjacent. */
export interface TransposeGeometry {
  shape: readonly number[];
  strides: readonly number[];
  /** [B R C] where y is x with its last two (merged) axes swapped, else null. */
  swap: readonly [number, number, number] | null;
}

/** `permutation[i]` is the axis of x that becomes axis i of y. */
export function transposeGeometry(
  xShape: readonly number[],
  permutation: readonly number[],
): TransposeGeometry {
  // Runs of axes that are consecutive in x and in y, without axes of length 1.
  const axes = permutation.filter((axis) => xShape[axis] !== 1);
  const live = axes.toSorted((a, b) => a - b);
  const runs: number[][] = [];
  for (const axis of axes) {
    const last = runs.at(-1)?.at(-1);
    const isNext = last !== undefined && live.indexOf(axis) === live.indexOf(last) + 1;
    if (isNext) runs.at(-1)!.push(axis);
    else runs.push([axis]);
  }
  const shape = runs.map((run) => sizeOf(run.map((axis) => xShape[axis])));
  const strides = runs.map((run) => sizeOf(xShape.slice(run.at(-1)! + 1)));
  const [b, c, r] = shape.length === 2 ? [1, ...shape] : shape;
  const isSwap =
    (shape.length === 2 && strides[0] === 1) ||
    (shape.length === 3 && strides[1] === 1 && strides[0] === r * c);
  return { shape, strides, swap: isSwap ? [b, r, c] : null };
}

/** True where y holds the elements in the order of x. */
function isTransposeIdentity({ shape }: TransposeGeometry): boolean {
  return shape.length <= 1;
}

export function transposeVariants({ swap }: TransposeGeometry): TransposeVariant[] {
  const isTileable =
    swap !== null && swap[0] <= MAX_GROUPS && Math.max(swap[1], swap[2]) / TILE <= MAX_GROUPS;
  return isTileable ? ['naive', 'tiled'] : ['naive'];
}

/** x with its axes reordered, f32, i32 or u32 → `shape`. */
export function transposeArray(
  runtime: Runtime,
  x: GpuArray,
  shape: readonly number[],
  geometry: TransposeGeometry,
  variant: TransposeVariant = chooseVariant(geometry, runtime.info),
): GpuArray {
  if (isTransposeIdentity(geometry)) return x.view(shape);
  const y = runtime.alloc(shape, x.dtype);
  const common = { op: 'transpose', bindings: { x, y }, bytes: 8 * x.size };
  if (variant === 'tiled' && geometry.swap) {
    const [batches, rows, columns] = geometry.swap;
    runtime.dispatch({
      ...common,
      shader: 'transpose_tiled',
      params: { rows, columns },
      groups: [Math.ceil(columns / TILE), Math.ceil(rows / TILE), batches],
    });
    return y;
  }
  const ones = Array.from({ length: 6 - geometry.shape.length }, () => 1);
  const lengths = [...ones, ...geometry.shape];
  const strides = [...ones, ...geometry.strides];
  runtime.dispatch({
    ...common,
    shader: 'transpose_naive',
    params: {
      shape_low: lengths.slice(0, 2),
      shape_high: lengths.slice(2),
      stride_low: strides.slice(0, 2),
      stride_high: strides.slice(2),
      size: x.size,
    },
    groups: Math.ceil(x.size / WORKGROUP),
  });
  return y;
}

function chooseVariant(geometry: TransposeGeometry, info: DeviceInfo): TransposeVariant {
  // On a software adapter workgroup memory and barriers cost more than scattered loads.
  if (info.isSoftware) return 'naive';
  // Mostly empty tiles would waste the workgroup.
  const { swap } = geometry;
  if (!swap || Math.min(swap[1], swap[2]) < 8) return 'naive';
  return transposeVariants(geometry).at(-1)!;
}
