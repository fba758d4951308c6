import { PART_ALIGNMENT, type GpuArray } from '../../gpu/array.js';
import type { Runtime } from '../../gpu/runtime.js';
import { binaryForward } from '../binary.js';
import { broadcastGeometry } from './broadcast.js';

/** How the losses of examples are reduced. */
export type Reduction = 'mean' | 'sum' | 'none';

export const reductions: readonly Reduction[] = ['mean', 'sum', 'none'];

/** Alignment of a part of an array, in f32 elements. */
const PART_ELEMENTS = PART_ALIGNMENT / 4;

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
  // Stop at one slice: its workgroup writes the result.
  while (values.size > SLICE) {
    const sums = addSlices(runtime, values, [Math.ceil(values.size / SLICE)], 1);
    values.release();
    values = sums;
  }
  const y = addSlices(runtime, values, [], reduction === 'mean' ? count : 1);
  values.release();
  return y;
}

/** Allocates the losses of `count` rows and their weights, and returns the offset of the weights. */
export function allocWeighted(
  runtime: Runtime,
  count: number,
): { losses: GpuArray; weightsAt: number } {
  const weightsAt = Math.ceil(count / PART_ELEMENTS) * PART_ELEMENTS;
  return { losses: runtime.alloc([weightsAt + count]), weightsAt };
}

/**
 * Weighted mean of `count` losses, Σ losses / Σ weights, from an array of allocWeighted, which it
 * takes. Also returns the sum of the weights for the gradient.
 */
export function weightedMean(
  runtime: Runtime,
  losses: GpuArray,
  weightsAt: number,
  count: number,
): { y: GpuArray; weightSum: GpuArray } {
  const sum = reduceLosses(runtime, losses.part(0, [count]), 'sum');
  const weightSum = reduceLosses(runtime, losses.part(weightsAt, [count]), 'sum');
  losses.release();
  const y = divideScalars(runtime, sum, weightSum);
  sum.release();
  return { y, weightSum };
}

/** a / b of two arrays without dimensions. */
export function divideScalars(runtime: Runtime, a: GpuArray, b: GpuArray): GpuArray {
  return binaryForward(runtime, 'div', [a, b], [], broadcastGeometry([], [[], []]));
}

/** Divisor of the gradient of one example's loss: `count` for a mean. */
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
