/** Functions of one number, with slope and error bound: the unary ops, and the activations among them. */
import { expMagnitude, logMagnitude, TANH_MAGNITUDE } from './accuracy.js';

/** Parameters of the functions that have any. */
export type ScalarParameters = {
  /** leakyRelu: slope below zero, 0.01 if absent; elu: height of the floor, 1 if absent. */
  alpha?: number;
  /** clip: bounds, none if absent. */
  min?: number;
  max?: number;
  /** gelu: 'tanh' chooses the older approximation; the exact erf form otherwise. */
  approximate?: 'tanh' | 'none';
};

/** f, f′ and the magnitudes (see RefOutput) of both, for an exactly known x. */
export interface ScalarFunction {
  value(x: number, parameters: ScalarParameters): number;
  slope(x: number, parameters: ScalarParameters): number;
  valueMagnitude(x: number, parameters: ScalarParameters): number;
  slopeMagnitude(x: number, parameters: ScalarParameters): number;
  /** Largest |f′| where f serves as an activation. */
  steepest: number;
  /** Largest |f″|, 0 for piecewise linear functions. */
  curvature: number;
}

const { abs, exp, log, sqrt, tanh } = Math;
const sigmoid = (x: number): number => 1 / (1 + exp(-x));
/** Error of 1 / (1 + exp(−x)): that of exp, scaled by s·(1 − s), and one division. */
const sigmoidMagnitude = (x: number): number =>
  sigmoid(x) + sigmoid(x) * (1 - sigmoid(x)) * expMagnitude(-x, 1);

/** Standard normal density. */
const density = (x: number): number => exp((-x * x) / 2) / sqrt(2 * Math.PI);

/**
 * erf to float64 accuracy: the Maclaurin series up to 2.5, beyond it the continued fraction of erfc (Abramowitz and
 * Stegun 7.1.6 and 7.1.14), evaluated from its tail.
 */
export function erf(x: number): number {
  const t = abs(x);
  if (t > 6) return Math.sign(x);
  if (t <= 2.5) {
    let term = x;
    let sum = x;
    for (let n = 1; n < 80; n++) {
      term *= (2 * x * x) / (2 * n + 1);
      sum += term;
    }
    return (2 / sqrt(Math.PI)) * exp(-x * x) * sum;
  }
  let tail = t;
  for (let n = 120; n >= 1; n--) tail = t + n / 2 / tail;
  return Math.sign(x) * (1 - exp(-t * t) / (sqrt(Math.PI) * tail));
}

const GELU_SCALE = sqrt(2 / Math.PI);
const GELU_CUBIC = 0.044715;
const geluInner = (x: number): number => GELU_SCALE * (x + GELU_CUBIC * x ** 3);
const geluInnerSlope = (x: number): number => GELU_SCALE * (1 + 3 * GELU_CUBIC * x * x);

/** Built of comparisons, one product and one sum: errors are a rounding or two of the result. */
function piecewise(
  value: ScalarFunction['value'],
  slope: ScalarFunction['slope'],
  steepest = 1,
): ScalarFunction {
  return {
    value,
    slope,
    valueMagnitude: (x, parameters) => abs(value(x, parameters)),
    slopeMagnitude: (x, parameters) => abs(slope(x, parameters)),
    steepest,
    curvature: 0,
  };
}

/** A name people may give as `activation`: every function here that needs no parameter and is bounded in slope. */
export type Activation =
  | 'relu'
  | 'relu6'
  | 'leakyRelu'
  | 'elu'
  | 'gelu'
  | 'sigmoid'
  | 'silu'
  | 'hardSwish'
  | 'tanh'
  | 'softplus';

export type ScalarName = Activation | 'exp' | 'log' | 'sqrt' | 'square' | 'abs' | 'neg' | 'clip';

/** At a kink the slope is the one named in the comment; tests keep away from kinks. */
export const scalarFunctions: Readonly<Record<ScalarName, ScalarFunction>> = {
  // f′(0) = 0
  relu: piecewise(
    (x) => Math.max(x, 0),
    (x) => (x > 0 ? 1 : 0),
  ),
  // f′(0) = f′(6) = 0
  relu6: piecewise(
    (x) => Math.min(Math.max(x, 0), 6),
    (x) => (x > 0 && x < 6 ? 1 : 0),
  ),
  // f′(0) = alpha
  leakyRelu: piecewise(
    (x, { alpha = 0.01 }) => (x > 0 ? x : alpha * x),
    (x, { alpha = 0.01 }) => (x > 0 ? 1 : alpha),
  ),
  // exp(x) − 1 cancels near zero: the error stays one of exp, absolute
  elu: {
    value: (x, { alpha = 1 }) => (x > 0 ? x : alpha * Math.expm1(x)),
    slope: (x, { alpha = 1 }) => (x > 0 ? 1 : alpha * exp(x)),
    valueMagnitude: (x, { alpha = 1 }) => (x > 0 ? x : abs(alpha) * (1 + expMagnitude(x))),
    slopeMagnitude: (x, { alpha = 1 }) => (x > 0 ? 1 : abs(alpha) * (1 + expMagnitude(x))),
    steepest: 1,
    curvature: 1,
  },
  // x · Φ(x); WGSL has no erf: the magnitude grants an approximation of erf good to about 3e-7 absolute
  gelu: {
    value: (x, { approximate }) =>
      approximate === 'tanh'
        ? 0.5 * x * (1 + tanh(geluInner(x)))
        : 0.5 * x * (1 + erf(x / Math.SQRT2)),
    slope: (x, { approximate }) => {
      if (approximate !== 'tanh') return 0.5 * (1 + erf(x / Math.SQRT2)) + x * density(x);
      const t = tanh(geluInner(x));
      return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * geluInnerSlope(x);
    },
    valueMagnitude: (x, { approximate }) =>
      abs(x) * (1 + (approximate === 'tanh' ? TANH_MAGNITUDE / 2 : 0)),
    slopeMagnitude: (x, { approximate }) => {
      if (approximate !== 'tanh') return 1 + density(x) * abs(x) * (1 + expMagnitude(x * x, 1));
      const inner = abs(x) * geluInnerSlope(x);
      return 1 + inner + TANH_MAGNITUDE * (0.5 + inner);
    },
    steepest: 1.13,
    curvature: 0.8,
  },
  sigmoid: {
    value: sigmoid,
    slope: (x) => sigmoid(x) * (1 - sigmoid(x)),
    valueMagnitude: sigmoidMagnitude,
    // 1 − s is a difference of rounded numbers
    slopeMagnitude: (x) => sigmoid(x) + sigmoidMagnitude(x),
    steepest: 0.25,
    curvature: 0.1,
  },
  silu: {
    value: (x) => x * sigmoid(x),
    slope: (x) => sigmoid(x) * (1 + x * (1 - sigmoid(x))),
    valueMagnitude: (x) => abs(x) * sigmoidMagnitude(x),
    slopeMagnitude: (x) => (1 + abs(x)) * (sigmoid(x) + sigmoidMagnitude(x)),
    steepest: 1.1,
    curvature: 0.5,
  },
  // x · clamp(x + 3, 0, 6) / 6 (Howard et al. 2019, MobileNetV3); f′(−3) = −0.5, f′(3) = 1.5
  hardSwish: {
    value: (x) => (x * Math.min(Math.max(x + 3, 0), 6)) / 6,
    slope: (x) => (x < -3 ? 0 : x > 3 ? 1 : (2 * x + 3) / 6),
    valueMagnitude: (x) => (x < -3 ? 0 : abs(x)),
    slopeMagnitude: (x) => (x < -3 ? 0 : 1 + abs(Math.min(x, 3)) / 3),
    steepest: 1.5,
    curvature: 1 / 3,
  },
  tanh: {
    value: tanh,
    slope: (x) => 1 - tanh(x) ** 2,
    valueMagnitude: (x) => abs(tanh(x)) + TANH_MAGNITUDE,
    slopeMagnitude: (x) => 1 + 2 * abs(tanh(x)) * TANH_MAGNITUDE,
    steepest: 1,
    curvature: 0.77,
  },
  // log(1 + exp(x)) = max(x, 0) + log(1 + exp(−|x|)); the logarithm's argument lies in [1, 2]
  softplus: {
    value: (x) => Math.max(x, 0) + Math.log1p(exp(-abs(x))),
    slope: sigmoid,
    valueMagnitude: (x) => Math.max(x, 0) + 1 + logMagnitude(1) + expMagnitude(-abs(x)),
    slopeMagnitude: sigmoidMagnitude,
    steepest: 1,
    curvature: 0.25,
  },
  exp: {
    value: exp,
    slope: exp,
    valueMagnitude: (x) => exp(x) + expMagnitude(x),
    slopeMagnitude: (x) => exp(x) + expMagnitude(x),
    steepest: Infinity,
    curvature: Infinity,
  },
  log: {
    value: log,
    slope: (x) => 1 / x,
    valueMagnitude: (x) => abs(log(x)) + logMagnitude(x),
    slopeMagnitude: (x) => abs(1 / x),
    steepest: Infinity,
    curvature: Infinity,
  },
  // sqrt is allowed 1 / inverseSqrt: 4.5 ULP
  sqrt: {
    value: sqrt,
    slope: (x) => 0.5 / sqrt(x),
    valueMagnitude: (x) => 2 * sqrt(x),
    slopeMagnitude: (x) => 1 / sqrt(x),
    steepest: Infinity,
    curvature: Infinity,
  },
  square: {
    value: (x) => x * x,
    slope: (x) => 2 * x,
    valueMagnitude: (x) => x * x,
    slopeMagnitude: (x) => abs(2 * x),
    steepest: Infinity,
    curvature: 2,
  },
  // f′(0) = 0
  abs: piecewise(abs, (x) => Math.sign(x)),
  neg: piecewise(
    (x) => -x,
    () => -1,
  ),
  // f′ = 1 at the bounds themselves
  clip: piecewise(
    (x, { min = -Infinity, max = Infinity }) => Math.min(Math.max(x, min), max),
    (x, { min = -Infinity, max = Infinity }) => (x >= min && x <= max ? 1 : 0),
  ),
};
