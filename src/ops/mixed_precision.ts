import { DeviceError } from '../errors.js';
import type { Runtime } from '../gpu/runtime.js';
import type { Tensor } from '../tensor.js';
import { cast } from './elementwise.js';

/** Element type of the operands of convolutions and matmuls. */
export type OperandType = 'f32' | 'f16';

let operandType: OperandType = 'f32';

/**
 * Runs `fn` with the operands of its convolutions and matmuls rounded to `type`. Sums, results,
 * gradients and parameters stay f32. This halves the memory of saved activations and the bytes that the
 * kernels read. For training see optim.LossScaler.
 *
 * **Errors** DeviceError if the adapter has no f16.
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

/** The type that the current withOperands sets. */
export function operandTypeNow(): OperandType {
  return operandType;
}

/** The tensor in the current operand type. */
export function asOperand(x: Tensor): Tensor {
  if (operandType === 'f32' || x.dtype !== 'f32') return x;
  expectOperands(x.runtime, operandType);
  return cast(x, 'f16');
}

/** Checks that the adapter supports an operand type. */
export function expectOperands(runtime: Runtime, type: OperandType): void {
  if (type === 'f32' || runtime.device.features.has('shader-f16')) return;
  throw new DeviceError(
    `device: ${runtime.info.description} has no shader-f16, which operands of f16 need`,
    'use f32',
  );
}
