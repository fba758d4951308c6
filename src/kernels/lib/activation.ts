import type { GpuArray } from '../../gpu/array.js';
import type { Runtime } from '../../gpu/runtime.js';

/**
 * Activations that a kernel can apply in its epilogue. Most ops fuse only those whose derivative can be
 * computed from the output, since the output is what is kept for backward. The numbers are those of
 * shaders/lib/activation.wgsl.
 */
export const activationCodes = {
  none: 0,
  relu: 1,
  relu6: 2,
  leakyRelu: 3,
  elu: 4,
  sigmoid: 5,
  tanh: 6,
  silu: 7,
} as const;

export type FusedActivation = Exclude<keyof typeof activationCodes, 'none' | 'silu'>;

/** Batch norm can recompute the value before its activation, so it also fuses silu. */
export type NormActivation = FusedActivation | 'silu';

export function isFused(name: string | undefined): name is FusedActivation {
  return name !== undefined && name in activationCodes && name !== 'none' && name !== 'silu';
}

/** dz = dy · activation′, where the derivative is computed from the output y. Shapes are equal. */
export function activationGradient(
  runtime: Runtime,
  dy: GpuArray,
  y: GpuArray,
  activation: FusedActivation,
): GpuArray {
  const dz = runtime.alloc(dy.shape);
  const vectors = Math.ceil(dy.size / 4);
  runtime.dispatch({
    shader: 'activation_grad_vec4',
    op: `${activation} gradient`,
    constants: { ACTIVATION: activationCodes[activation] },
    bindings: { dy, y, dz },
    params: { vectors },
    groups: Math.ceil(vectors / 64),
    flops: dy.size,
    bytes: 12 * dy.size,
  });
  return dz;
}
