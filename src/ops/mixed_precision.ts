import { DeviceError } from '../errors.js';
import type { Runtime } from '../gpu/runtime.js';
import type { Tensor } from '../tensor.js';
import { cast } from './elementwise.js';

/** Element type of what convolutions and matrix products multiply. */
export type OperandType = 'f32' | 'f16';

let operandType: OperandType = 'f32';

/**
 * Runs `fn` with the operands of its convolutions and matrix products rounded to `type`. Their
 * sums, results and gradients stay f32, and so do the parameters: what is halved is the memory of
 * saved activations and the bytes the products read. For training see optim.LossScaler.
 *
 * **Errors** DeviceError where the adapter has no f16.
 * **Source** Micikevicius et al., "Mixed precision training", arXiv:1710.03740, sections 3.1, 3.3.
 */
export function withOperands<T>(type: OperandType, fn: () => T): T {
  const before = operandType;
  operandType = type;
  try {
    return fn();
  } finally {
    operandType = before;
  }
}

/** What withOperands asks for at the moment. */
export function operandTypeNow(): OperandType {
  return operandType;
}

/** The tensor as the product at hand is to read it. */
export function asOperand(x: Tensor): Tensor {
  if (operandType === 'f32' || x.dtype !== 'f32') return x;
  expectOperands(x.runtime, operandType);
  return cast(x, 'f16');
}

/** Checks that the adapter has operands of a type, before any work is done for them. */
export function expectOperands(runtime: Runtime, type: OperandType): void {
  if (type === 'f32' || runtime.device.features.has('shader-f16')) return;
  throw new DeviceError(
    `device: ${runtime.info.description} has no shader-f16, which operands of f16 need`,
    'use f32',
  );
}
