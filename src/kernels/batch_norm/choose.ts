import type { Runtime } from '../../gpu/runtime.js';
import type { BatchNormSetup } from './setup.js';
import { batchNormVariants } from './variants.js';

export const WORKGROUP = 64;

export interface RowSlices {
  lanes: 1 | 4;
  slices: number;
  rowsPerSlice: number;
}

/** Most rows that one invocation or workgroup sums by default. */
const FUSED_ROWS = 4096;
/** A software adapter takes more rows up to this many values; measured up to twice that. */
const FUSED_VALUES = 2 ** 20;
/** Fewer invocations than this leave one of two cores idle. */
const LEAST_COLUMNS = 16;

/** Tunables and grid of the fused kernels, or null if several kernels run. */
export function fusedPlan(runtime: Runtime, setup: BatchNormSetup) {
  const { rows, c, isTraining, variant } = setup;
  const { isSoftware } = runtime.info;
  if (!isTraining) return null;
  const lanes = lanesOf(setup);
  const columns = c / lanes;
  const { layout } = batchNormVariants[variant ?? (isSoftware ? 'fused' : 'fusedWorkgroup')];
  if (!layout) return null;
  const isFew = rows <= FUSED_ROWS || (isSoftware && rows * c <= FUSED_VALUES);
  const isWide = columns >= LEAST_COLUMNS || !isSoftware;
  if (!variant && !(isFew && isWide)) return null;
  const tune = { ...tuneOf(lanes), ...layout };
  return { tune, columns, groups: Math.ceil(columns / layout.COLUMNS) };
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
  // Nothing is summed, so a GPU benefits from many invocations; two cores need few.
  const wanted = Math.ceil((runtime.info.isSoftware ? 2048 : 2 ** 18) / (c / lanes));
  const rowsPerSlice = Math.ceil(rows / wanted);
  const plan = { lanes, slices: Math.ceil(rows / rowsPerSlice), rowsPerSlice };
  const groups = Math.ceil(((c / lanes) * plan.slices) / WORKGROUP);
  return { tune: tuneOf(lanes), params: slicedParams(setup, plan), groups };
}

/** How the rows are cut into slices, or null if one invocation sums a whole channel. */
export function slicePlan(runtime: Runtime, setup: BatchNormSetup): RowSlices | null {
  const { rows, c, variant } = setup;
  if (variant === 'naive') return null;
  // Short sums: a second dispatch costs more than it saves.
  if (rows < 64 && !variant) return null;
  const lanes = lanesOf(setup);
  // 2,000 invocations keep two cores busy; a GPU needs tens of thousands.
  const wanted = Math.ceil((runtime.info.isSoftware ? 2048 : 65536) / (c / lanes));
  // At least 16 rows per slice keep the partial sums small compared with x.
  const rowsPerSlice = Math.max(Math.ceil(rows / wanted), Math.min(16, Math.ceil(rows / 3)));
  return { lanes, slices: Math.ceil(rows / rowsPerSlice), rowsPerSlice };
}

export function slicedParams({ rows, c }: BatchNormSetup, plan: RowSlices) {
  const { slices, rowsPerSlice, lanes } = plan;
  return { rows, C: c / lanes, rows_per_slice: rowsPerSlice, slices };
}

/** Channels per invocation: four if C allows it, since the work is bound by memory. */
function lanesOf({ c, variant }: BatchNormSetup): 1 | 4 {
  return variant === 'naive' || c % 4 !== 0 ? 1 : 4;
}

export function tuneOf(lanes: 1 | 4): Record<string, string> {
  return lanes === 4 ? { Lanes: 'vec4<f32>', Places: 'vec4<u32>' } : {};
}
