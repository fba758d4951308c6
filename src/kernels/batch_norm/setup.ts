import type { GpuArray } from '../../gpu/array.js';
import type { Runtime } from '../../gpu/runtime.js';
import type { NormActivation } from '../activation.js';

export const WORKGROUP = 64;

/**
 * 'naive' computes one number an invocation; in 'sliced' kernels each takes some rows of one
 * channel, or of four where C is divisible by four. While training, 'fused' and 'fusedWorkgroup' do all in
 * one dispatch: an invocation, or a workgroup that adds up its parts, takes all rows of its channels.
 */
export const batchNormVariants = ['naive', 'sliced', 'fused', 'fusedWorkgroup'] as const;
export type BatchNormVariant = (typeof batchNormVariants)[number];

export interface BatchNormSetup {
  /** Values of each channel. */
  rows: number;
  c: number;
  isTraining: boolean;
  momentum: number;
  epsilon: number;
  activation?: NormActivation | undefined;
  variant?: BatchNormVariant | undefined;
}

/**
 * What backward looks at. Where an activation was applied, `kept` is what its derivative is told
 * from: the output y; for silu beta [C], from which and gamma z is worked out again.
 */
export interface BatchNormSaved {
  dy: GpuArray;
  x: GpuArray;
  kept: GpuArray | undefined;
  statistics: GpuArray;
}

/** What normalisation adds to, or multiplies with. */
export interface BatchNormOptional {
  gamma?: GpuArray | undefined;
  beta?: GpuArray | undefined;
  residual?: GpuArray | undefined;
}

/** What is moved in place while training, where it is kept. */
export interface RunningStatistics {
  mean?: GpuArray | undefined;
  variance?: GpuArray | undefined;
}

export interface SlicePlan {
  lanes: 1 | 4;
  slices: number;
  rowsPerSlice: number;
}

/** Tunables of the kernels of one dispatch: neighbouring channels, and parts of their rows. */
const FUSED_LAYOUTS = {
  fused: { COLUMNS: 8, PARTS: 1 },
  fusedWorkgroup: { COLUMNS: 4, PARTS: 64 },
} as const;
/** Most rows that one invocation, or one workgroup, sums alone where it may choose. */
const FUSED_ROWS = 4096;
/** On two cores more rows too, as long as so many values stay near: measured up to twice that. */
const FUSED_VALUES = 2 ** 20;
/** Fewer invocations than this leave one of two cores idle. */
const LEAST_COLUMNS = 16;

/** Tunables and grid of the kernels that do all of a training pass, or null where several run. */
export function fusedPlan(runtime: Runtime, setup: BatchNormSetup) {
  const { rows, c, isTraining, variant } = setup;
  const { isSoftware } = runtime.info;
  if (!isTraining) return null;
  const lanes = lanesOf(setup);
  const columns = c / lanes;
  const layout = variant ?? (isSoftware ? 'fused' : 'fusedWorkgroup');
  if (layout !== 'fused' && layout !== 'fusedWorkgroup') return null;
  const isFew = rows <= FUSED_ROWS || (isSoftware && rows * c <= FUSED_VALUES);
  const isWide = columns >= LEAST_COLUMNS || !isSoftware;
  if (!variant && !(isFew && isWide)) return null;
  const tune = { ...tuneOf(lanes), ...FUSED_LAYOUTS[layout] };
  return { tune, columns, groups: Math.ceil(columns / FUSED_LAYOUTS[layout].COLUMNS) };
}

export type FusedPlan = NonNullable<ReturnType<typeof fusedPlan>>;

/** Grid and parameters of the kernels that compute every element. */
export function elementPlan(runtime: Runtime, setup: BatchNormSetup) {
  const { rows, c, variant } = setup;
  if (variant === 'naive') {
    const params = { rows, C: c };
    return { tune: {}, params, groups: Math.ceil((rows * c) / WORKGROUP) };
  }
  const lanes = lanesOf(setup);
  // Nothing is summed, so a GPU takes as many invocations as it gets; two cores want few.
  const wanted = Math.ceil((runtime.info.isSoftware ? 2048 : 2 ** 18) / (c / lanes));
  const rowsPerSlice = Math.ceil(rows / wanted);
  const plan = { lanes, slices: Math.ceil(rows / rowsPerSlice), rowsPerSlice };
  const groups = Math.ceil(((c / lanes) * plan.slices) / WORKGROUP);
  return { tune: tuneOf(lanes), params: slicedParams(setup, plan), groups };
}

/** How the rows are cut into slices, or null where one invocation sums a whole channel. */
export function slicePlan(runtime: Runtime, setup: BatchNormSetup): SlicePlan | null {
  const { rows, c, variant } = setup;
  if (variant === 'naive') return null;
  // Short sums: a second dispatch costs more than it saves.
  if (rows < 64 && !variant) return null;
  const lanes = lanesOf(setup);
  // Two cores are busy with 2,000 invocations, a GPU wants its tens of thousands of lanes filled.
  const wanted = Math.ceil((runtime.info.isSoftware ? 2048 : 65536) / (c / lanes));
  // At least 16 rows a slice keep the partial sums small next to x.
  const rowsPerSlice = Math.max(Math.ceil(rows / wanted), Math.min(16, Math.ceil(rows / 3)));
  return { lanes, slices: Math.ceil(rows / rowsPerSlice), rowsPerSlice };
}

export function slicedParams({ rows, c }: BatchNormSetup, plan: SlicePlan) {
  const { slices, rowsPerSlice, lanes } = plan;
  return { rows, C: c / lanes, rows_per_slice: rowsPerSlice, slices };
}

/** Channels an invocation takes: four wherever they are there, since most of the work is moving memory. */
function lanesOf({ c, variant }: BatchNormSetup): 1 | 4 {
  return variant === 'naive' || c % 4 !== 0 ? 1 : 4;
}

export function tuneOf(lanes: 1 | 4): Record<string, string> {
  return lanes === 4 ? { Lanes: 'vec4<f32>', Places: 'vec4<u32>' } : {};
}
