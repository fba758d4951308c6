import type { GpuArray } from '../gpu/array.js';
import type { Runtime } from '../gpu/runtime.js';
import { BLOCK } from './optimizer.js';

/*
 * Loss scaling on the GPU, so that a captured step needs no read-back for it. Its state is `scale` f32
 * [] and `words` u32 [8 + parameters]:
 *   0 overflow in this step   1 good steps since the scale last changed   2 skipped steps   3 steps
 *   4 halted   5 step that halted   8 … 1 for each parameter whose gradient was not finite
 */

const HEADER = 8;

/** One state, for as many parameters as the optimizer has. */
export interface LossScaleArrays {
  /** f32 []: a power of two. */
  scale: GpuArray;
  words: GpuArray;
}

/** How the scale may change. */
interface LossScaleRule {
  lowest: number;
  highest: number;
  /** Good steps on end before the scale doubles. */
  interval: number;
}

/** The counts of a scale that a checkpoint keeps. */
export interface LossScaleCounts {
  /** Since the scale last changed. */
  goodSteps: number;
  skippedSteps: number;
  /** Steps altogether, skipped ones included. */
  steps: number;
}

export function allocLossScale(runtime: Runtime, parameters: number): LossScaleArrays {
  const scale = runtime.allocPersistent([]);
  return { scale, words: runtime.allocPersistent([HEADER + parameters], 'u32') };
}

/** Sets a state, with no overflow in it. */
export function writeLossScale(
  runtime: Runtime,
  { scale, words }: LossScaleArrays,
  value: number,
  { goodSteps, skippedSteps, steps }: LossScaleCounts,
): void {
  const all = new Uint32Array(words.size);
  all.set([0, goodSteps, skippedSteps, steps]);
  runtime.write(words, all);
  runtime.write(scale, Float32Array.of(value));
}

/** The counts; and, once halted, the step and the parameters whose gradients were not finite. */
export async function readLossScale(
  runtime: Runtime,
  { words }: LossScaleArrays,
): Promise<LossScaleCounts & { halted: { step: number; parameters: number[] } | null }> {
  const all = new Uint32Array(await runtime.read(words));
  const [, goodSteps, skippedSteps, steps, isHalted, step] = all;
  const parameters = [...all.subarray(HEADER).entries()]
    .filter(([, mark]) => mark !== 0)
    .map(([parameter]) => parameter);
  const halted = isHalted === 0 ? null : { step, parameters };
  return { goodSteps, skippedSteps, steps, halted };
}

/** gradients ← gradients / scale; marks parameters, from number `first` on, that are not finite. */
export function unscaleGradients(
  runtime: Runtime,
  { scale, words }: LossScaleArrays,
  { gradients, owners, first }: { gradients: GpuArray; owners: GpuArray; first: number },
): void {
  const blocks = gradients.size / BLOCK;
  runtime.dispatch({
    shader: 'loss_scale_unscale',
    op: 'unscale gradients',
    bindings: { gradients, owners, scale, words },
    params: { blocks, first },
    groups: blocks,
    flops: gradients.size,
    bytes: 8 * gradients.size,
  });
}

/** Rows of a step that is skipped become inactive; others get their bias corrections. */
export function completeRows(
  runtime: Runtime,
  { words }: LossScaleArrays,
  { rows, steps, first }: { rows: GpuArray; steps: GpuArray; first: number },
  [beta1, beta2]: readonly [number, number],
): void {
  runtime.dispatch({
    shader: 'loss_scale_rows',
    op: 'loss scale, rows',
    bindings: { rows, steps, words },
    params: {
      ...{ count: rows.shape[0], first },
      ...{ log_beta1: finiteLog(beta1), log_beta2: finiteLog(beta2) },
    },
    groups: 1,
  });
}

/** log β; for β = 0 a number whose exponential is 0 in f32. */
function finiteLog(beta: number): number {
  return Math.max(Math.log(beta), -1000);
}

/** Halves the scale after an overflow, doubles it after enough good steps, or halts. */
export function updateLossScale(
  runtime: Runtime,
  { scale, words }: LossScaleArrays,
  { lowest, highest, interval }: LossScaleRule,
): void {
  runtime.dispatch({
    shader: 'loss_scale_update',
    op: 'loss scale, update',
    bindings: { scale, words },
    params: { parameters: words.size - HEADER, interval, lowest, highest },
    groups: 1,
  });
}
