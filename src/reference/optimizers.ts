/**
 * One step of each optimizer on flat float64 arrays; parameter and state are changed in place. The rules and their
 * details (where weight decay enters, which moment is corrected) are those of PyTorch.
 */

/** State an optimizer keeps per parameter; made by `optimizerState`. Which arrays are used depends on the rule. */
export interface OptimizerState {
  /** Steps done so far. */
  step: number;
  /** SGD, RMSprop: momentum buffer. Adam: first moment. */
  momentum: Float64Array;
  /** Adam, RMSprop: mean of squared gradients. */
  square: Float64Array;
  /** Adam with amsgrad: the largest `square` so far. */
  largestSquare: Float64Array;
}

/** Zeroed state for a parameter of `size` elements. */
export function optimizerState(size: number): OptimizerState {
  return {
    step: 0,
    momentum: new Float64Array(size),
    square: new Float64Array(size),
    largestSquare: new Float64Array(size),
  };
}

/** Defaults: momentum 0, nesterov false, weightDecay 0. */
export interface SgdOptions {
  lr: number;
  momentum?: number;
  nesterov?: boolean;
  weightDecay?: number;
}

/**
 *     g ← g + weightDecay · p;  v ← momentum · v + g;  p ← p − lr · v
 *
 * With `nesterov` the step is lr · (g + momentum · v). PyTorch starts v at the first g; from zero it is the same.
 */
export function sgdStep(
  parameter: Float64Array,
  gradient: Float64Array,
  state: OptimizerState,
  { lr, momentum = 0, nesterov = false, weightDecay = 0 }: SgdOptions,
): void {
  state.step++;
  for (let i = 0; i < parameter.length; i++) {
    const g = gradient[i] + weightDecay * parameter[i];
    const v = momentum * state.momentum[i] + g;
    state.momentum[i] = v;
    parameter[i] -= lr * (nesterov ? g + momentum * v : v);
  }
}

/** Defaults: beta1 0.9, beta2 0.999, epsilon 1e-8, weightDecay 0 (AdamW: 0.01), amsgrad false. */
export interface AdamOptions {
  lr: number;
  beta1?: number;
  beta2?: number;
  epsilon?: number;
  weightDecay?: number;
  amsgrad?: boolean;
}

/**
 * Adam (arXiv:1412.6980, algorithm 1), weight decay as an L2 term of the gradient; amsgrad: arXiv:1904.09237.
 *
 *     m ← β₁·m + (1 − β₁)·g;   v ← β₂·v + (1 − β₂)·g²;   v̂ = v, or with amsgrad the largest v so far
 *     p ← p − lr / (1 − β₁ᵗ) · m / (√v̂ / √(1 − β₂ᵗ) + ε)
 */
export function adamStep(
  parameter: Float64Array,
  gradient: Float64Array,
  state: OptimizerState,
  options: AdamOptions,
): void {
  const { lr, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = options;
  const { weightDecay = 0, amsgrad = false } = options;
  const t = ++state.step;
  const stepSize = lr / (1 - beta1 ** t);
  const squareCorrection = Math.sqrt(1 - beta2 ** t);
  for (let i = 0; i < parameter.length; i++) {
    const g = gradient[i] + weightDecay * parameter[i];
    state.momentum[i] = beta1 * state.momentum[i] + (1 - beta1) * g;
    state.square[i] = beta2 * state.square[i] + (1 - beta2) * g * g;
    state.largestSquare[i] = Math.max(state.largestSquare[i], state.square[i]);
    const square = amsgrad ? state.largestSquare[i] : state.square[i];
    parameter[i] -=
      (stepSize * state.momentum[i]) / (Math.sqrt(square) / squareCorrection + epsilon);
  }
}

/** AdamW (arXiv:1711.05101): p ← p · (1 − lr · weightDecay), then Adam's step on the bare gradient. */
export function adamWStep(
  parameter: Float64Array,
  gradient: Float64Array,
  state: OptimizerState,
  options: AdamOptions,
): void {
  const shrink = 1 - options.lr * (options.weightDecay ?? 0.01);
  for (let i = 0; i < parameter.length; i++) parameter[i] *= shrink;
  adamStep(parameter, gradient, state, { ...options, weightDecay: 0 });
}

/** Defaults: alpha 0.99, epsilon 1e-8, momentum 0, weightDecay 0. */
export interface RmspropOptions {
  lr: number;
  alpha?: number;
  epsilon?: number;
  momentum?: number;
  weightDecay?: number;
}

/**
 *     v ← α·v + (1 − α)·g²;   b ← momentum · b + g / (√v + ε);   p ← p − lr · b
 */
export function rmspropStep(
  parameter: Float64Array,
  gradient: Float64Array,
  state: OptimizerState,
  { lr, alpha = 0.99, epsilon = 1e-8, momentum = 0, weightDecay = 0 }: RmspropOptions,
): void {
  state.step++;
  for (let i = 0; i < parameter.length; i++) {
    const g = gradient[i] + weightDecay * parameter[i];
    state.square[i] = alpha * state.square[i] + (1 - alpha) * g * g;
    state.momentum[i] = momentum * state.momentum[i] + g / (Math.sqrt(state.square[i]) + epsilon);
    parameter[i] -= lr * state.momentum[i];
  }
}

/**
 * Scales all gradients by min(1, maxNorm / (norm + 1e-6)), norm being the length of all of them as one vector.
 * Returns the norm before scaling.
 */
export function clipGradNorm(gradients: readonly Float64Array[], maxNorm: number): number {
  let sum = 0;
  for (const gradient of gradients) for (const g of gradient) sum += g * g;
  const norm = Math.sqrt(sum);
  const scale = Math.min(1, maxNorm / (norm + 1e-6));
  for (const gradient of gradients) gradient.forEach((g, i) => (gradient[i] = g * scale));
  return norm;
}

/** A loss scale and the steps since it last changed. */
export interface LossScale {
  scale: number;
  goodSteps: number;
}

/**
 * How a loss scale goes on after a step (arXiv:1710.03740, section 3.2): halved, down to 1, where a gradient was not
 * finite, which is a step that is not done; doubled, up to 2²⁴, after `interval` steps on end without. Returns whether
 * the step is done. A scale that began above 2²⁴ stays there until it is halved.
 */
export function lossScaleStep(
  state: LossScale,
  gradients: readonly ArrayLike<number>[],
  interval: number,
): boolean {
  const isFinite = gradients.every((gradient) => Array.from(gradient).every(Number.isFinite));
  if (!isFinite) {
    state.scale = Math.max(1, state.scale / 2);
    state.goodSteps = 0;
    return false;
  }
  state.goodSteps++;
  if (state.goodSteps < interval) return true;
  state.goodSteps = 0;
  state.scale = Math.max(state.scale, Math.min(2 ** 24, 2 * state.scale));
  return true;
}
