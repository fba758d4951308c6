import { cast as castRecord } from '../autograd/ops/cast.js';
import { unaryRecords, type UnaryName, type UnaryOptions } from '../autograd/ops/unary.js';
import { ShapeError } from '../errors.js';
import type { DType } from '../gpu/array.js';
import { applyOp, type Tensor } from '../tensor.js';

export { add, div, maximum, minimum, mul, pow, sub, where } from './arithmetic.js';
export { equal, greater, greaterEqual, less, lessEqual, notEqual } from './compare.js';

/** Names of the activations that a layer may apply to its output. */
export const activations = [
  'relu',
  'relu6',
  'leakyRelu',
  'elu',
  'gelu',
  'sigmoid',
  'silu',
  'hardSwish',
  'tanh',
  'softplus',
] as const satisfies readonly UnaryName[];

export type Activation = (typeof activations)[number];

/**
 * Applies an activation by its name, with its default parameters: `activate(x, 'relu')` is
 * `relu(x)`.
 *
 * **Errors** ShapeError if there is no such activation.
 *
 * @example
 * await ops.activate(device.tensor([-1, 2]), 'relu').array(); // [0, 2]
 */
export function activate(x: Tensor, activation: Activation): Tensor {
  if (!activations.includes(activation)) {
    throw new ShapeError(
      `activate: expected one of ${activations.join(', ')}, got ${String(activation)}`,
    );
  }
  return unary(activation, x);
}

/**
 * Sets negative numbers to zero.
 *
 * y = max(x, 0)
 *
 * **Shapes** x of any shape → the same. **Gradients** dx = dy where y > 0, else 0.
 * **Cost** one pass, 8 bytes per element. **Saves** y.
 * **Errors** ShapeError if x is empty or not f32.
 * **Source** elementary.
 *
 * @example
 * await ops.relu(device.tensor([-1, 2])).array(); // [0, 2]
 */
export function relu(x: Tensor): Tensor {
  return unary('relu', x);
}

/**
 * Clips numbers to [0, 6].
 *
 * y = min(max(x, 0), 6)
 *
 * **Shapes** x of any shape → the same. **Gradients** dx = dy where 0 < y < 6, else 0.
 * **Cost** one pass, 8 bytes per element. **Saves** y.
 * **Errors** ShapeError if x is empty or not f32.
 * **Source** arXiv:1704.04861, MobileNets.
 *
 * @example
 * await ops.relu6(device.tensor([-1, 2, 9])).array(); // [0, 2, 6]
 */
export function relu6(x: Tensor): Tensor {
  return unary('relu6', x);
}

/**
 * Shrinks negative numbers.
 *
 * y = x where x > 0, else alpha · x; alpha = 0.01 unless given
 *
 * **Shapes** x of any shape → the same. **Gradients** dx = dy where x > 0, else alpha · dy.
 * **Cost** one pass, 8 bytes per element. **Saves** x.
 * **Errors** ShapeError if x is empty or not f32, or alpha is not a finite number.
 * **Source** Maas, Hannun & Ng 2013, section 2.
 *
 * @example
 * await ops.leakyRelu(device.tensor([-4, 2]), { alpha: 0.5 }).array(); // [-2, 2]
 */
export function leakyRelu(x: Tensor, options: Pick<UnaryOptions, 'alpha'> = {}): Tensor {
  return unary('leakyRelu', x, options);
}

/**
 * Lets negative numbers approach −alpha.
 *
 * y = x where x > 0, else alpha · (exp(x) − 1); alpha = 1 unless given
 *
 * **Shapes** x of any shape → the same. **Gradients** dx = dy where x > 0, else alpha · exp(x) · dy.
 * **Cost** one pass, 8 bytes per element. **Saves** x.
 * **Errors** ShapeError if x is empty or not f32, or alpha is not a finite number.
 * **Source** arXiv:1511.07289, equation 15.
 *
 * @example
 * await ops.elu(device.tensor([0, 2])).array(); // [0, 2]
 */
export function elu(x: Tensor, options: Pick<UnaryOptions, 'alpha'> = {}): Tensor {
  return unary('elu', x, options);
}

/**
 * Multiplies each number by the standard normal's cumulative distribution at it.
 *
 * y = x · Φ(x); with approximate 'tanh' y = ½x · (1 + tanh(√(2/π) · (x + 0.044715 x³)))
 *
 * **Shapes** x of any shape → the same. **Gradients** dx = dy · (Φ(x) + x · φ(x)).
 * **Cost** one pass, 8 bytes per element. **Saves** x.
 * **Errors** ShapeError if x is empty or not f32, or approximate is unknown.
 * **Source** arXiv:1606.08415, section 2.
 *
 * @example
 * await ops.gelu(device.tensor([0, 20])).array(); // [0, 20]
 */
export function gelu(x: Tensor, options: Pick<UnaryOptions, 'approximate'> = {}): Tensor {
  return unary('gelu', x, options);
}

/**
 * Squeezes numbers into (0, 1); no exponential overflows.
 *
 * y = 1 / (1 + exp(−x))
 *
 * **Shapes** x of any shape → the same. **Gradients** dx = dy · y · (1 − y).
 * **Cost** one pass, 8 bytes per element. **Saves** y.
 * **Errors** ShapeError if x is empty or not f32.
 * **Source** elementary.
 *
 * @example
 * await ops.sigmoid(device.tensor([0, 100])).array(); // [0.5, 1]
 */
export function sigmoid(x: Tensor): Tensor {
  return unary('sigmoid', x);
}

/**
 * Multiplies each number by its sigmoid; also called swish.
 *
 * y = x · sigmoid(x)
 *
 * **Shapes** x of any shape → the same. **Gradients** dx = dy · s · (1 + x · (1 − s)), s = sigmoid(x).
 * **Cost** one pass, 8 bytes per element. **Saves** x.
 * **Errors** ShapeError if x is empty or not f32.
 * **Source** arXiv:1702.03118, section 2.1.
 *
 * @example
 * await ops.silu(device.tensor([0, 100])).array(); // [0, 100]
 */
export function silu(x: Tensor): Tensor {
  return unary('silu', x);
}

/**
 * A piecewise approximation of silu.
 *
 * y = x · min(max(x + 3, 0), 6) / 6
 *
 * **Shapes** x of any shape → the same. **Gradients** dx = 0 below −3, dy above 3, else dy · (2x + 3) / 6.
 * **Cost** one pass, 8 bytes per element. **Saves** x.
 * **Errors** ShapeError if x is empty or not f32.
 * **Source** arXiv:1905.02244, section 5.2.
 *
 * @example
 * await ops.hardSwish(device.tensor([-4, 0, 6])).array(); // [0, 0, 6]
 */
export function hardSwish(x: Tensor): Tensor {
  return unary('hardSwish', x);
}

/**
 * The hyperbolic tangent, accurate to the last bits even near zero.
 *
 * y = (exp(2x) − 1) / (exp(2x) + 1)
 *
 * **Shapes** x of any shape → the same. **Gradients** dx = dy · (1 − y²).
 * **Cost** one pass, 8 bytes per element. **Saves** y.
 * **Errors** ShapeError if x is empty or not f32.
 * **Source** elementary.
 *
 * @example
 * await ops.tanh(device.tensor([0, 50])).array(); // [0, 1]
 */
export function tanh(x: Tensor): Tensor {
  return unary('tanh', x);
}

/**
 * A smooth relu; no exponential overflows.
 *
 * y = log(1 + exp(x)) = max(x, 0) + log(1 + exp(−|x|))
 *
 * **Shapes** x of any shape → the same. **Gradients** dx = dy · sigmoid(x).
 * **Cost** one pass, 8 bytes per element. **Saves** x.
 * **Errors** ShapeError if x is empty or not f32.
 * **Source** elementary.
 *
 * @example
 * await ops.softplus(device.tensor([-200, 100])).array(); // [0, 100]
 */
export function softplus(x: Tensor): Tensor {
  return unary('softplus', x);
}

/**
 * The exponential.
 *
 * y = exp(x)
 *
 * **Shapes** x of any shape → the same. **Gradients** dx = dy · y.
 * **Cost** one pass, 8 bytes per element. **Saves** y.
 * **Errors** ShapeError if x is empty or not f32.
 * **Source** elementary.
 *
 * @example
 * await ops.exp(device.tensor([0])).array(); // [1]
 */
export function exp(x: Tensor): Tensor {
  return unary('exp', x);
}

/**
 * The natural logarithm; NaN below zero.
 *
 * y = ln(x)
 *
 * **Shapes** x of any shape → the same. **Gradients** dx = dy / x.
 * **Cost** one pass, 8 bytes per element. **Saves** x.
 * **Errors** ShapeError if x is empty or not f32.
 * **Source** elementary.
 *
 * @example
 * await ops.log(device.tensor([1])).array(); // [0]
 */
export function log(x: Tensor): Tensor {
  return unary('log', x);
}

/**
 * The square root; NaN below zero.
 *
 * y = √x
 *
 * **Shapes** x of any shape → the same. **Gradients** dx = dy / (2y).
 * **Cost** one pass, 8 bytes per element. **Saves** y.
 * **Errors** ShapeError if x is empty or not f32.
 * **Source** elementary.
 *
 * @example
 * await ops.sqrt(device.tensor([0, 4])).array(); // [0, 2]
 */
export function sqrt(x: Tensor): Tensor {
  return unary('sqrt', x);
}

/**
 * The square.
 *
 * y = x²
 *
 * **Shapes** x of any shape → the same. **Gradients** dx = dy · 2x.
 * **Cost** one pass, 8 bytes per element. **Saves** x.
 * **Errors** ShapeError if x is empty or not f32.
 * **Source** elementary.
 *
 * @example
 * await ops.square(device.tensor([-3, 2])).array(); // [9, 4]
 */
export function square(x: Tensor): Tensor {
  return unary('square', x);
}

/**
 * The absolute value.
 *
 * y = |x|
 *
 * **Shapes** x of any shape → the same. **Gradients** dx = dy · sign(x), 0 at 0.
 * **Cost** one pass, 8 bytes per element. **Saves** x.
 * **Errors** ShapeError if x is empty or not f32.
 * **Source** elementary.
 *
 * @example
 * await ops.abs(device.tensor([-3, 2])).array(); // [3, 2]
 */
export function abs(x: Tensor): Tensor {
  return unary('abs', x);
}

/**
 * The negative.
 *
 * y = −x
 *
 * **Shapes** x of any shape → the same. **Gradients** dx = −dy.
 * **Cost** one pass, 8 bytes per element. **Saves** nothing.
 * **Errors** ShapeError if x is empty or not f32.
 * **Source** elementary.
 *
 * @example
 * await ops.neg(device.tensor([-3, 2])).array(); // [3, -2]
 */
export function neg(x: Tensor): Tensor {
  return unary('neg', x);
}

/**
 * Clips numbers to bounds; one of the two may be omitted.
 *
 * y = min(max(x, min), max)
 *
 * **Shapes** x of any shape → the same. **Gradients** dx = dy where min ≤ x ≤ max, else 0.
 * **Cost** one pass, 8 bytes per element. **Saves** x.
 * **Errors** ShapeError if x is empty or not f32, min exceeds max, or both are missing.
 * **Source** NumPy manual, numpy.clip.
 *
 * @example
 * await ops.clip(device.tensor([-3, 1, 9]), { min: -2, max: 5 }).array(); // [-2, 1, 5]
 */
export function clip(x: Tensor, options: Pick<UnaryOptions, 'min' | 'max'>): Tensor {
  return unary('clip', x, options);
}

function unary(name: UnaryName, x: Tensor, options: UnaryOptions = {}): Tensor {
  return applyOp(unaryRecords[name], { x }, options);
}

/**
 * Changes the element type.
 *
 * y = x · scale, as `dtype`
 *
 * Conversion to i32 and u32 truncates, conversion to u8 rounds; values out of range are clamped. f16
 * needs an adapter with shader-f16.
 *
 * **Shapes** x of any shape → the same. **Gradients** dx = dy · scale between f32 and f16, none from
 * or to integers. **Cost** one pass. **Saves** nothing.
 * **Errors** ShapeError if x is empty, or dtype or scale is none.
 * **Source** WGSL specification, section Floating Point Conversion.
 *
 * @example
 * await ops.cast(device.tensor([1.7, -1.7]), 'i32').array(); // [1, -1]
 */
export function cast(x: Tensor, dtype: DType, options: { scale?: number } = {}): Tensor {
  return applyOp(castRecord, { x }, { ...options, dtype });
}
