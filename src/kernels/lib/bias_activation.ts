import type { GpuArray } from '../../gpu/array.js';
import type { Runtime } from '../../gpu/runtime.js';
import { activationCodes, type FusedActivation } from './activation.js';

/** What a kernel adds to its sums, and the activation it applies, before writing them. */
export interface Epilogue {
  /** Of y's shape. */
  residual?: GpuArray | undefined;
  activation?: FusedActivation | undefined;
}

/** Arrays for the bindings of an epilogue, with placeholders for absent ones. */
export function orPlaceholders(
  runtime: Runtime,
  { bias, residual }: { bias: GpuArray | undefined; residual: GpuArray | undefined },
) {
  return { bias: bias ?? runtime.placeholder, residual: residual ?? runtime.placeholder };
}

/** y = activation(y + bias + residual), in place; y […, K], bias [K]. Does nothing if none is given. */
export function finishInPlace(
  runtime: Runtime,
  op: string,
  y: GpuArray,
  bias: GpuArray | undefined,
  { activation, residual }: Epilogue,
): void {
  if (!bias && !activation && !residual) return;
  runtime.dispatch({
    shader: 'bias_activation',
    op,
    constants: {
      HAS_BIAS: bias !== undefined,
      HAS_RESIDUAL: residual !== undefined,
      ACTIVATION: activationCodes[activation ?? 'none'],
    },
    bindings: { ...orPlaceholders(runtime, { bias, residual }), y },
    params: { elements: y.size, k: y.shape.at(-1)! },
    groups: Math.ceil(y.size / 64),
    flops: y.size,
    bytes: (residual ? 12 : 8) * y.size,
  });
}
