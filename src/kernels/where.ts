import type { GpuArray } from '../gpu/array.js';
import type { Runtime } from '../gpu/runtime.js';
import { launchBroadcast, type BroadcastGeometry, type BroadcastVariant } from './lib/broadcast.js';
import { sumToShape } from './reduce.js';

/** y = condition ≠ 0 ? a : b, all repeated to `shape`. */
export function whereForward(
  runtime: Runtime,
  operands: { condition: GpuArray; a: GpuArray; b: GpuArray },
  shape: readonly number[],
  geometry: BroadcastGeometry,
  variant?: BroadcastVariant,
): GpuArray {
  const y = runtime.alloc(shape);
  launchBroadcast(runtime, geometry, variant, {
    shader: 'where_forward',
    op: 'where forward',
    tune: { Condition: operands.condition.dtype },
    operands: { condition: operands.condition, a: operands.a, b: operands.b },
    bindings: { y },
  });
  return y;
}

/** dy where the operand on `side` was selected, summed over the axes along which it was repeated. */
export function whereBackward(
  runtime: Runtime,
  side: 'a' | 'b',
  dy: GpuArray,
  condition: GpuArray,
  shape: readonly number[],
  geometry: BroadcastGeometry,
  variant?: BroadcastVariant,
): GpuArray {
  const gradient = runtime.alloc(dy.shape);
  launchBroadcast(runtime, geometry, variant, {
    shader: 'where_backward',
    op: 'where backward',
    tune: { Condition: condition.dtype },
    constants: { IS_RIGHT: side === 'b' },
    operands: { condition, a: null, b: null },
    bindings: { dy, gradient },
  });
  return sumToShape(runtime, gradient, shape);
}
