import type { GpuArray } from '../gpu/array.js';
import type { Runtime } from '../gpu/runtime.js';
import { activationCodes, type FusedActivation } from './activation.js';

/** y = activation(y + bias), in place; y […, K], bias [K]. Does nothing where neither is given. */
export function finishInPlace(
  runtime: Runtime,
  op: string,
  y: GpuArray,
  bias: GpuArray | undefined,
  activation: FusedActivation | undefined,
): void {
  if (!bias && !activation) return;
  runtime.dispatch({
    shader: 'bias_activation',
    op,
    constants: {
      HAS_BIAS: bias !== undefined,
      ACTIVATION: activationCodes[activation ?? 'none'],
    },
    bindings: { bias: bias ?? runtime.placeholder, y },
    params: { elements: y.size, k: y.shape.at(-1)! },
    groups: Math.ceil(y.size / 64),
    flops: y.size,
    bytes: 8 * y.size,
  });
}
