import type { GpuArray } from '../gpu/array.js';
import type { ParamValues } from '../gpu/shader.js';
import type { OverrideValues } from '../gpu/pipeline.js';
import type { Runtime } from '../gpu/runtime.js';

/** Elements one workgroup updates; parameters begin on multiples of it. */
export const BLOCK = 256;

/** A word on the GPU; optimizers update nothing while it is not 0. */
export interface Guard {
  array: GpuArray;
  word: number;
}

/** What every optimizer kernel reads and writes. */
export interface OptimizerArrays {
  /** [L] f32, L a multiple of BLOCK. */
  values: GpuArray;
  gradients: GpuArray;
  /** u32 [L / BLOCK]: the parameter each block belongs to. */
  owners: GpuArray;
  /** f32 [parameters, 4]: weight decay, or −1 without a gradient, and three numbers of the step. */
  rows: GpuArray;
  guard: Guard | null;
}

interface SgdRule {
  momentum: number;
  nesterov: boolean;
}

/** One step of SGD; `velocity` [L] where momentum is not 0. Rows: (weight decay, lr, –, –). */
export function sgdStep(
  runtime: Runtime,
  arrays: OptimizerArrays,
  velocity: GpuArray | undefined,
  rule: SgdRule,
): void {
  launch(runtime, 'sgd', arrays, {
    constants: { HAS_MOMENTUM: velocity !== undefined, NESTEROV: rule.nesterov },
    bindings: { velocity: velocity ?? runtime.placeholder },
    params: { momentum: rule.momentum },
    arraysTouched: velocity ? 5 : 3,
  });
}

export interface AdamRule {
  beta1: number;
  beta2: number;
  epsilon: number;
}

/** One step of Adam. Rows: (weight decay, lr / (1 − β₁ᵗ), 1 / √(1 − β₂ᵗ), shrink). */
export function adamStep(
  runtime: Runtime,
  arrays: OptimizerArrays,
  state: { moment: GpuArray; square: GpuArray; largest: GpuArray | undefined },
  { beta1, beta2, epsilon }: AdamRule,
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
    },
    arraysTouched: largest ? 9 : 7,
  });
}

interface RmspropRule {
  alpha: number;
  epsilon: number;
  momentum: number;
}

/** One step of RMSprop; `velocity` [L] where momentum is not 0. Rows: (weight decay, lr, –, –). */
export function rmspropStep(
  runtime: Runtime,
  arrays: OptimizerArrays,
  state: { square: GpuArray; velocity: GpuArray | undefined },
  { alpha, epsilon, momentum }: RmspropRule,
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
  const blocks = arrays.values.size / BLOCK;
  runtime.dispatch({
    shader: `optimizer_${name}`,
    op: `${name} step`,
    constants: { ...constants, HAS_GUARD: guard !== null },
    // Without a guard, bind any array that is only read.
    bindings: { ...arrays, ...bindings, guard: guard?.array ?? arrays.owners },
    params: { blocks, guard_word: guard?.word ?? 0, ...params },
    groups: blocks,
    bytes: 4 * arraysTouched * arrays.values.size,
  });
}
