import { sizeOf, type GpuArray } from '../gpu/array.js';
import type { Runtime } from '../gpu/runtime.js';
import { launchBroadcast, type BroadcastGeometry, type BroadcastVariant } from './lib/broadcast.js';
import { sumToShape } from './reduce.js';

/** Binary functions, with the codes of shaders/lib/binary.wgsl. */
const binaryCodes = {
  add: 0,
  sub: 1,
  mul: 2,
  div: 3,
  pow: 4,
  maximum: 5,
  minimum: 6,
} as const;
export type BinaryName = keyof typeof binaryCodes;

/** y = f(a, b), both repeated to `shape`. */
export function binaryForward(
  runtime: Runtime,
  name: BinaryName,
  [a, b]: readonly [GpuArray, GpuArray],
  shape: readonly number[],
  geometry: BroadcastGeometry,
  variant?: BroadcastVariant,
): GpuArray {
  const y = runtime.alloc(shape);
  launchBroadcast(runtime, geometry, variant, {
    shader: 'binary_forward',
    op: `${name} forward`,
    constants: { OP: binaryCodes[name] },
    operands: { a, b },
    bindings: { y },
    flops: y.size,
  });
  return y;
}

/**
 * The gradient of one operand, of that operand's shape: dy · ∂f/∂a, or ∂f/∂b, summed over what it
 * was repeated along.
 */
export function binaryBackward(
  runtime: Runtime,
  name: BinaryName,
  side: 'a' | 'b',
  dy: GpuArray,
  [a, b]: readonly [GpuArray, GpuArray],
  shape: readonly number[],
  geometry: BroadcastGeometry,
  variant?: BroadcastVariant,
): GpuArray {
  const gradient = runtime.alloc(dy.shape);
  launchBroadcast(runtime, geometry, variant, {
    shader: 'binary_backward',
    op: `${name} backward`,
    constants: { OP: binaryCodes[name], IS_RIGHT: side === 'b' },
    operands: { a, b },
    bindings: { dy, gradient },
    flops: 2 * sizeOf(dy.shape),
  });
  return sumToShape(runtime, gradient, shape);
}
