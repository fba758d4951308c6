import { DeviceError } from '../gpu/errors.js';
import type { Tensor } from '../tensor.js';
import { cast } from './elementwise.js';

/** Element type of what convolutions and matrix products multiply. */
export type OperandType = 'f32' | 'f16';

let operandType: OperandType = 'f32';

/**
 * Runs `fn` with the operands of its convolutions and matrix products rounded to `type`. Their
 * sums, results and gradients stay f32, and so do the parameters, so that no loss scaling is
 * needed: what is halved is the memory of saved activations and the bytes the products read.
 *
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
  if (!x.runtime.device.features.has('shader-f16')) {
    throw new DeviceError(
      `device: ${x.runtime.info.description} has no shader-f16, which operands of f16 need`,
      'use f32',
    );
  }
  return cast(x, 'f16');
}
