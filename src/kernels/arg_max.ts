import type { DeviceInfo } from '../gpu/adapter.js';
import type { GpuArray } from '../gpu/array.js';
import type { Runtime } from '../gpu/runtime.js';

const WORKGROUP = 64;

export const argMaxVariants = ['naive', 'workgroup'] as const;
export type ArgMaxVariant = (typeof argMaxVariants)[number];

/** x as [outer, length, inner], searched along the middle. */
export interface ArgMaxGeometry {
  outer: number;
  length: number;
  inner: number;
}

interface ArgMaxLaunch {
  /** The smallest element instead of the largest. */
  isMin: boolean;
  variant?: ArgMaxVariant | undefined;
}

/** Index of the first largest or smallest element; x [outer length inner] → i32 of `shape`, outer · inner. */
export function argMaxForward(
  runtime: Runtime,
  x: GpuArray,
  shape: readonly number[],
  { outer, length, inner }: ArgMaxGeometry,
  { isMin, variant = chooseVariant(runtime.info, length) }: ArgMaxLaunch,
): GpuArray {
  const y = runtime.alloc(shape, 'i32');
  const outputs = outer * inner;
  runtime.dispatch({
    shader: `arg_max_forward_${variant}`,
    op: isMin ? 'argmin forward' : 'argmax forward',
    constants: { IS_MIN: isMin },
    bindings: { x, y },
    params: { outputs, length, inner },
    groups: variant === 'workgroup' ? outputs : Math.ceil(outputs / WORKGROUP),
    flops: x.size,
    bytes: x.byteLength + y.byteLength,
  });
  return y;
}

function chooseVariant(info: DeviceInfo, length: number): ArgMaxVariant {
  // Barriers are slow on software adapters, and one invocation reads a row in order anyway.
  if (info.isSoftware) return 'naive';
  // A short row leaves most of a workgroup idle.
  return length >= 2 * WORKGROUP ? 'workgroup' : 'naive';
}
