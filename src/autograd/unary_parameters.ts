import { ShapeError } from '../errors.js';
import type { UnaryFunction, UnaryVariant } from '../kernels/unary.js';

export interface UnaryOptions {
  /** leakyRelu: slope of the negative half, default 0.01. elu: its limit is −alpha, default 1. */
  alpha?: number;
  /** gelu: 'tanh' takes the older approximation. Default 'none', the exact form. */
  approximate?: 'none' | 'tanh';
  /** clip: the bounds; at least one. */
  min?: number;
  max?: number;
  /** @internal For benches and tests: the kernel to use instead of the chosen one. */
  variant?: UnaryVariant;
}

/** Checks that alpha is finite. */
export function finiteAlpha(op: string, alpha: number): number {
  if (Number.isFinite(alpha)) return alpha;
  throw new ShapeError(`${op}: alpha must be a finite number, got ${String(alpha)}`);
}

/** The form of gelu that the options ask for. */
export function resolveGelu({ approximate = 'none' }: UnaryOptions): UnaryFunction {
  if (approximate !== 'none' && approximate !== 'tanh') {
    throw new ShapeError(
      `gelu: approximate must be 'none' or 'tanh', got ${JSON.stringify(approximate)}`,
    );
  }
  return { code: approximate === 'tanh' ? 'geluTanh' : 'gelu' };
}

/** clip with one bound or both. */
export function resolveClip({ min, max }: UnaryOptions): UnaryFunction {
  const isBound = (value: number | undefined) => value === undefined || !Number.isNaN(value);
  if ((min === undefined && max === undefined) || !isBound(min) || !isBound(max)) {
    throw new ShapeError(
      `clip: expected a number for min, max or both, got min=${String(min)} and max=${String(max)}`,
    );
  }
  if (min !== undefined && max !== undefined && min > max) {
    throw new ShapeError(`clip: min must not exceed max, got min=${min} and max=${max}`);
  }
  if (max === undefined || max === Infinity) {
    return { code: 'clipBelow', low: min === undefined ? -Infinity : min };
  }
  if (min === undefined || min === -Infinity) return { code: 'clipAbove', high: max };
  return { code: 'clip', low: min, high: max };
}
