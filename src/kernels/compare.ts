import type { DType, GpuArray } from '../gpu/array.js';
import type { Runtime } from '../gpu/runtime.js';
import { launchBroadcast, type BroadcastGeometry, type BroadcastVariant } from './lib/broadcast.js';

/** Comparisons, with the codes of shaders/lib/compare.wgsl. */
export const compareCodes = {
  less: 0,
  lessEqual: 1,
  greater: 2,
  greaterEqual: 3,
  equal: 4,
  notEqual: 5,
} as const;
export type CompareName = keyof typeof compareCodes;

const kinds: Partial<Record<DType, number>> = { f32: 0, i32: 1, u32: 2 };

/** y = 1 where the comparison holds, else 0; a and b of one type, repeated to `shape` → f32. */
export function compareForward(
  runtime: Runtime,
  name: CompareName,
  operands: { a: GpuArray; b: GpuArray },
  shape: readonly number[],
  geometry: BroadcastGeometry,
  variant?: BroadcastVariant,
): GpuArray {
  const y = runtime.alloc(shape);
  launchBroadcast(runtime, geometry, variant, {
    shader: 'compare_forward',
    op: `${name} forward`,
    constants: { OP: compareCodes[name], KIND: kinds[operands.a.dtype]! },
    operands,
    bindings: { y },
    flops: y.size,
  });
  return y;
}
