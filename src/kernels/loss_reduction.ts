import type { GpuArray } from '../gpu/array.js';
import type { Runtime } from '../gpu/runtime.js';

/** How the losses of the examples become the loss. */
export type Reduction = 'mean' | 'sum' | 'none';

export const reductions: readonly Reduction[] = ['mean', 'sum', 'none'];

/** Losses one workgroup of 256 adds: 32 for each invocation. */
const SLICE = 8192;

/**
 * Sum or mean of all losses as an array without dimensions, or the losses themselves ('none').
 * Takes `losses`.
 */
export function reduceLosses(runtime: Runtime, losses: GpuArray, reduction: Reduction): GpuArray {
  if (reduction === 'none') return losses;
  const count = losses.size;
  let values = losses;
  // One slice at the end: its workgroup writes the result.
  while (values.size > SLICE) {
    const sums = addSlices(runtime, values, [Math.ceil(values.size / SLICE)], 1);
    values.release();
    values = sums;
  }
  const y = addSlices(runtime, values, [], reduction === 'mean' ? count : 1);
  values.release();
  return y;
}

/** What the gradient of one example's loss is divided by: `count` examples in a mean. */
export function lossDivisor(reduction: Reduction, count: number): number {
  return reduction === 'mean' ? count : 1;
}

function addSlices(
  runtime: Runtime,
  losses: GpuArray,
  shape: readonly number[],
  divisor: number,
): GpuArray {
  const sums = runtime.alloc(shape);
  runtime.dispatch({
    shader: 'loss_reduction',
    op: 'loss reduction',
    bindings: { losses, sums },
    params: { length: losses.size, slice: SLICE, divisor },
    groups: [sums.size, 1, 1],
    flops: losses.size,
    bytes: 4 * (losses.size + sums.size),
  });
  return sums;
}
