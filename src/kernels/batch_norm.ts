import type { GpuArray } from '../gpu/array.js';
import type { Runtime } from '../gpu/runtime.js';
import { activationCodes, type FusedActivation } from './activation.js';

const WORKGROUP = 64;
/** Channels that one workgroup of the combining kernels takes. */
const COLUMNS = 16;

/**
 * 'naive' sums each channel in one invocation, 'sliced' in many; 'sliced' also takes four channels
 * at a time where C is divisible by four.
 */
export const batchNormVariants = ['naive', 'sliced'] as const;
export type BatchNormVariant = (typeof batchNormVariants)[number];

export interface BatchNormSetup {
  /** Values of each channel. */
  rows: number;
  c: number;
  isTraining: boolean;
  momentum: number;
  epsilon: number;
  activation?: FusedActivation | undefined;
  variant?: BatchNormVariant | undefined;
}

/**
 * Means and 1 / √(variance + epsilon) of the batch, [2 C]; x [… C]. Moves the running statistics,
 * where given, in place.
 */
export function batchStatistics(
  runtime: Runtime,
  x: GpuArray,
  running: { mean: GpuArray | undefined; variance: GpuArray | undefined },
  setup: BatchNormSetup,
): GpuArray {
  const { rows, c, momentum, epsilon } = setup;
  const statistics = runtime.alloc([2, c]);
  // Kernels always move running statistics; where nobody keeps any these take the result.
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
      bindings: { partial, ...bindings },
      params: {
        rows,
        C: c,
        rows_per_slice: plan.rowsPerSlice,
        slices: plan.slices,
        momentum,
        epsilon,
      },
      groups: Math.ceil(c / COLUMNS),
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

/** activation(gamma · (x − mean) · rstd + beta + residual); x and residual [… C] → x's shape. */
export function batchNormForward(
  runtime: Runtime,
  x: GpuArray,
  statistics: GpuArray,
  optional: {
    gamma?: GpuArray | undefined;
    beta?: GpuArray | undefined;
    residual?: GpuArray | undefined;
  },
  setup: BatchNormSetup,
): GpuArray {
  const { gamma, beta, residual } = optional;
  const lanes = lanesOf(setup);
  const y = runtime.alloc(x.shape);
  runtime.dispatch({
    shader: 'batch_norm_forward_naive',
    op: 'batchNorm forward',
    tune: tuneOf(lanes),
    constants: {
      HAS_GAMMA: gamma !== undefined,
      HAS_BETA: beta !== undefined,
      HAS_RESIDUAL: residual !== undefined,
      ACTIVATION: activationCodes[setup.activation ?? 'none'],
    },
    bindings: {
      x,
      statistics,
      gamma: gamma ?? statistics,
      beta: beta ?? statistics,
      residual: residual ?? x,
      y,
    },
    params: { size: x.size / lanes, C: setup.c / lanes },
    groups: Math.ceil(x.size / lanes / WORKGROUP),
    flops: 4 * x.size,
    bytes: 4 * x.size * (residual ? 3 : 2),
  });
  return y;
}

/** What backward looks at; `y` where an activation was applied. */
export interface BatchNormSaved {
  dy: GpuArray;
  x: GpuArray;
  y: GpuArray | undefined;
  statistics: GpuArray;
}

/** dgamma and dbeta [C], and both once more in `sums` [2 C], as batchNormGradInput takes them. */
export function batchNormGradSums(
  runtime: Runtime,
  { dy, x, y, statistics }: BatchNormSaved,
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
    bytes: 4 * x.size * (y ? 3 : 2),
  };
  const sources = { dy, y: y ?? dy, x, statistics };
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
    bindings: { partial, ...results },
    params: { C: c, slices: plan.slices },
    groups: Math.ceil((2 * c) / COLUMNS),
  });
  partial.release();
  return results;
}

/** dx, and with `keepsResidual` the gradient of the residual too; both of x's shape. */
export function batchNormGradInput(
  runtime: Runtime,
  { dy, x, y, statistics }: BatchNormSaved,
  gamma: GpuArray | undefined,
  sums: GpuArray | undefined,
  setup: BatchNormSetup,
  keepsResidual: boolean,
): { dx: GpuArray; dresidual?: GpuArray } {
  const lanes = lanesOf(setup);
  const dx = runtime.alloc(x.shape);
  const dresidual = keepsResidual ? runtime.alloc(x.shape) : undefined;
  runtime.dispatch({
    shader: 'batch_norm_backward_naive',
    op: 'batchNorm grad-input',
    tune: tuneOf(lanes),
    constants: {
      IS_TRAINING: setup.isTraining,
      HAS_GAMMA: gamma !== undefined,
      KEEP_RESIDUAL: keepsResidual,
      ACTIVATION: activationCodes[setup.activation ?? 'none'],
    },
    bindings: {
      dy,
      y: y ?? dy,
      x,
      statistics,
      gamma: gamma ?? statistics,
      sums: sums ?? statistics,
      dx,
      dresidual: dresidual ?? runtime.placeholder,
    },
    params: { size: x.size / lanes, C: setup.c / lanes, rows: setup.rows },
    groups: Math.ceil(x.size / lanes / WORKGROUP),
    flops: 8 * x.size,
    bytes: 4 * x.size * (y ? 4 : 3),
  });
  return dresidual ? { dx, dresidual } : { dx };
}

interface SlicePlan {
  lanes: 1 | 4;
  slices: number;
  rowsPerSlice: number;
}

/** How the rows are cut into slices, or null where one invocation sums a whole channel. */
function slicePlan(runtime: Runtime, setup: BatchNormSetup): SlicePlan | null {
  const { rows, c, variant } = setup;
  if (variant === 'naive') return null;
  // Short sums: a second dispatch costs more than it saves.
  if (rows < 64 && variant !== 'sliced') return null;
  const lanes = lanesOf(setup);
  // Two cores are busy with 2,000 invocations, a GPU wants its tens of thousands of lanes filled.
  const wanted = Math.ceil((runtime.info.isSoftware ? 2048 : 65536) / (c / lanes));
  // At least 16 rows a slice keep the partial sums small next to x.
  const rowsPerSlice = Math.max(Math.ceil(rows / wanted), Math.min(16, Math.ceil(rows / 3)));
  return { lanes, slices: Math.ceil(rows / rowsPerSlice), rowsPerSlice };
}

function slicedParams({ rows, c }: BatchNormSetup, plan: SlicePlan) {
  const { slices, rowsPerSlice, lanes } = plan;
  return { rows, C: c / lanes, rows_per_slice: rowsPerSlice, slices };
}

/** Channels an invocation takes: four wherever they are there, since most of the work is moving memory. */
function lanesOf({ c, variant }: BatchNormSetup): 1 | 4 {
  return variant === 'naive' || c % 4 !== 0 ? 1 : 4;
}

function tuneOf(lanes: 1 | 4): Record<string, string> {
  return lanes === 4 ? { Lanes: 'vec4<f32>' } : {};
}
