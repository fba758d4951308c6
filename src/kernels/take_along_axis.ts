import type { GpuArray } from '../gpu/array.js';
import type { Runtime } from '../gpu/runtime.js';
import { outside, type GatherGeometry } from './gather.js';

const WORKGROUP = 64;

/** y[o, p, i] = x[o, indices[o, p, i], i]; x f32, i32 or u32 → `indices`' shape. */
export function takeAlongAxisForward(
  runtime: Runtime,
  x: GpuArray,
  indices: GpuArray,
  { length, picks, inner }: GatherGeometry,
): GpuArray {
  const y = runtime.alloc(indices.shape, x.dtype);
  runtime.dispatch({
    shader: 'take_along_axis_forward_naive',
    op: 'takeAlongAxis forward',
    constants: { IS_SIGNED: indices.dtype === 'i32' },
    bindings: { x, indices, y },
    params: { size: y.size, length, picks, inner, outside: outside[x.dtype]! },
    groups: Math.ceil(y.size / WORKGROUP),
    bytes: 12 * y.size,
  });
  return y;
}

/** dx[o, l, i] = Σ_{p: indices[o, p, i] = l} dy[o, p, i], in the order of p; dy f32 → `shape`. */
export function takeAlongAxisBackward(
  runtime: Runtime,
  dy: GpuArray,
  indices: GpuArray,
  shape: readonly number[],
  { length, picks, inner }: GatherGeometry,
): GpuArray {
  const dx = runtime.alloc(shape);
  runtime.dispatch({
    shader: 'take_along_axis_backward_naive',
    op: 'takeAlongAxis backward',
    constants: { IS_SIGNED: indices.dtype === 'i32' },
    bindings: { dy, indices, dx },
    params: { size: dx.size, length, picks, inner },
    groups: Math.ceil(dx.size / WORKGROUP),
    flops: dy.size,
    bytes: 4 * (2 * dy.size + dx.size),
  });
  return dx;
}
