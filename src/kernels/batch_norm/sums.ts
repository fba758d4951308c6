import type { GpuArray } from '../../gpu/array.js';
import type { Runtime } from '../../gpu/runtime.js';
import { activationCodes } from '../lib/activation.js';
import { slicedParams, slicePlan, tuneOf, WORKGROUP, type RowSlices } from './choose.js';
import type { BatchNormSaved, BatchNormSetup, RunningStatistics } from './setup.js';

/** Up to this many slices, one invocation is faster than a workgroup with a barrier. */
const FEW_SLICES = 32;

/** Tunables and grid of the combining kernels. */
function combinePlan({ slices }: RowSlices, columns: number) {
  const tune = slices <= FEW_SLICES ? { COLUMNS: 64, PARTS: 1 } : { COLUMNS: 16, PARTS: 16 };
  return { tune, groups: Math.ceil(columns / tune.COLUMNS) };
}

/**
 * Means and 1 / √(variance + epsilon) of the batch, [2 C]; x [… C]. Moves the running statistics,
 * if given, in place.
 */
export function batchStatistics(
  runtime: Runtime,
  x: GpuArray,
  running: RunningStatistics,
  setup: BatchNormSetup,
): GpuArray {
  const { rows, c, momentum, epsilon } = setup;
  const statistics = runtime.alloc([2, c]);
  // The kernels always update running statistics; without any, they write to scratch arrays.
  const runningMean = running.mean?.retain() ?? runtime.alloc([c]);
  const runningVariance = running.variance?.retain() ?? runtime.alloc([c]);
  const bindings = { running_mean: runningMean, running_variance: runningVariance, statistics };
  const work = { op: 'batchNorm statistics', flops: 4 * x.size, bytes: 4 * x.size };
  const plan = slicePlan(runtime, setup);
  if (plan) {
    const partial = runtime.alloc([plan.slices, 2, c]);
    runtime.dispatch({
      ...work,
      shader: 'batch_norm_statistics_sliced',
      tune: tuneOf(plan.lanes),
      bindings: { x, partial },
      params: slicedParams(setup, plan),
      groups: Math.ceil(((c / plan.lanes) * plan.slices) / WORKGROUP),
    });
    runtime.dispatch({
      shader: 'batch_norm_statistics_combine',
      op: 'batchNorm statistics combine',
      ...combinePlan(plan, c),
      bindings: { partial, ...bindings },
      params: {
        rows,
        C: c,
        rows_per_slice: plan.rowsPerSlice,
        slices: plan.slices,
        momentum,
        epsilon,
      },
    });
    partial.release();
  } else {
    runtime.dispatch({
      ...work,
      shader: 'batch_norm_statistics_naive',
      bindings: { x, ...bindings },
      params: { rows, C: c, momentum, epsilon },
      groups: Math.ceil(c / WORKGROUP),
    });
  }
  runningMean.release();
  runningVariance.release();
  return statistics;
}

/** The running statistics as means and 1 / √(variance + epsilon), [2 C]. */
export function runningStatistics(
  runtime: Runtime,
  mean: GpuArray,
  variance: GpuArray,
  { c, epsilon }: BatchNormSetup,
): GpuArray {
  const statistics = runtime.alloc([2, c]);
  runtime.dispatch({
    shader: 'batch_norm_statistics_running',
    op: 'batchNorm running statistics',
    bindings: { running_mean: mean, running_variance: variance, statistics },
    params: { C: c, epsilon },
    groups: Math.ceil(c / WORKGROUP),
  });
  return statistics;
}

/** dgamma and dbeta [C], and both once more in `sums` [2 C], as normaliseBackward takes them. */
export function batchNormGradSums(
  runtime: Runtime,
  { dy, x, kept, statistics }: BatchNormSaved,
  gamma: GpuArray | undefined,
  setup: BatchNormSetup,
): { sums: GpuArray; dgamma: GpuArray; dbeta: GpuArray } {
  const { rows, c } = setup;
  const results = {
    sums: runtime.alloc([2, c]),
    dgamma: runtime.alloc([c]),
    dbeta: runtime.alloc([c]),
  };
  const common = {
    op: 'batchNorm grad-sums',
    constants: { ACTIVATION: activationCodes[setup.activation ?? 'none'] },
    flops: 5 * x.size,
    bytes: 4 * (2 * x.size + (kept?.size ?? 0)),
  };
  const sources = { dy, kept: kept ?? dy, x, statistics, gamma: gamma ?? statistics };
  const plan = slicePlan(runtime, setup);
  if (!plan) {
    runtime.dispatch({
      ...common,
      shader: 'batch_norm_backward_sums_naive',
      bindings: { ...sources, ...results },
      params: { rows, C: c },
      groups: Math.ceil(c / WORKGROUP),
    });
    return results;
  }
  const partial = runtime.alloc([plan.slices, 2, c]);
  runtime.dispatch({
    ...common,
    shader: 'batch_norm_backward_sums_sliced',
    tune: tuneOf(plan.lanes),
    bindings: { ...sources, partial },
    params: slicedParams(setup, plan),
    groups: Math.ceil(((c / plan.lanes) * plan.slices) / WORKGROUP),
  });
  runtime.dispatch({
    shader: 'batch_norm_backward_sums_combine',
    op: 'batchNorm grad-sums combine',
    ...combinePlan(plan, 2 * c),
    bindings: { partial, ...results },
    params: { C: c, slices: plan.slices },
  });
  partial.release();
  return results;
}
