import type { GpuArray } from '../gpu/array.js';
import type { ParamValues } from '../gpu/shader.js';
import type { OverrideValues } from '../gpu/pipeline.js';
import type { Runtime } from '../gpu/runtime.js';

/** Elements one workgroup updates; parameters begin on multiples of it. */
export const PIECE = 256;

/** A word on the GPU; optimizers update nothing while it is not 0. */
export interface Guard {
  array: GpuArray;
  word: number;
}

/** What every optimizer kernel reads and writes. */
export interface OptimizerArrays {
  /** [L] f32, L a multiple of PIECE. */
  values: GpuArray;
  gradients: GpuArray;
  /** u32 [L / PIECE]: the parameter each piece belongs to. */
  owners: GpuArray;
  /** f32 [parameters, 4]: has a gradient (1 or 0), and the numbers that change each step. */
  rows: GpuArray;
  guard: Guard | null;
}

export interface SgdRule {
  momentum: number;
  nesterov: boolean;
  weightDecay: number;
}

/** One step of SGD; `velocity` [L] where momentum is not 0. Rows: (active, lr, –, –). */
export function sgdStep(
  runtime: Runtime,
  arrays: OptimizerArrays,
  velocity: GpuArray | undefined,
  rule: SgdRule,
): void {
  launch(runtime, 'sgd', arrays, {
    constants: { HAS_MOMENTUM: velocity !== undefined, NESTEROV: rule.nesterov },
    bindings: { velocity: velocity ?? runtime.placeholder },
    params: { momentum: rule.momentum, weight_decay: rule.weightDecay },
    arraysTouched: velocity ? 5 : 3,
  });
}

export interface AdamRule {
  beta1: number;
  beta2: number;
  epsilon: number;
  weightDecay: number;
}

/** One step of Adam. Rows: (active, lr / (1 − β₁ᵗ), 1 / √(1 − β₂ᵗ), shrink). */
export function adamStep(
  runtime: Runtime,
  arrays: OptimizerArrays,
  state: { moment: GpuArray; square: GpuArray; largest: GpuArray | undefined },
  { beta1, beta2, epsilon, weightDecay }: AdamRule,
): void {
  const { moment, square, largest } = state;
  launch(runtime, 'adam', arrays, {
    constants: { AMSGRAD: largest !== undefined },
    bindings: { moment, square, largest: largest ?? runtime.placeholder },
    params: {
      beta1,
      one_minus_beta1: 1 - beta1,
      beta2,
      one_minus_beta2: 1 - beta2,
      epsilon,
      weight_decay: weightDecay,
    },
    arraysTouched: largest ? 9 : 7,
  });
}

export interface RmspropRule {
  alpha: number;
  epsilon: number;
  momentum: number;
  weightDecay: number;
}

/** One step of RMSprop; `velocity` [L] where momentum is not 0. Rows: (active, lr, –, –). */
export function rmspropStep(
  runtime: Runtime,
  arrays: OptimizerArrays,
  state: { square: GpuArray; velocity: GpuArray | undefined },
  { alpha, epsilon, momentum, weightDecay }: RmspropRule,
): void {
  const { square, velocity } = state;
  launch(runtime, 'rmsprop', arrays, {
    constants: { HAS_MOMENTUM: velocity !== undefined },
    bindings: { square, velocity: velocity ?? runtime.placeholder },
    params: {
      alpha,
      one_minus_alpha: 1 - alpha,
      epsilon,
      momentum,
      weight_decay: weightDecay,
    },
    arraysTouched: velocity ? 7 : 5,
  });
}

interface Launch {
  constants: OverrideValues;
  bindings: Record<string, GpuArray>;
  params: ParamValues;
  /** Arrays of L elements that are read or written, for the byte count. */
  arraysTouched: number;
}

function launch(
  runtime: Runtime,
  name: string,
  { guard, ...arrays }: OptimizerArrays,
  { constants, bindings, params, arraysTouched }: Launch,
): void {
  const pieces = arrays.values.size / PIECE;
  runtime.dispatch({
    shader: `optimizer_${name}`,
    op: `${name} step`,
    constants: { ...constants, HAS_GUARD: guard !== null },
    // An absent guard is bound to something that is only read, as the guard would be.
    bindings: { ...arrays, ...bindings, guard: guard?.array ?? arrays.owners },
    params: { pieces, guard_word: guard?.word ?? 0, ...params },
    groups: pieces,
    bytes: 4 * arraysTouched * arrays.values.size,
  });
}
