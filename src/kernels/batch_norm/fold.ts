import type { GpuArray } from '../../gpu/array.js';
import type { Runtime } from '../../gpu/runtime.js';
import { WORKGROUP } from './choose.js';

/** What a batch norm uses in evaluation, each [K]. */
interface FoldedNorm {
  /** 1 if omitted. */
  gamma: GpuArray | undefined;
  /** 0 if omitted. */
  beta: GpuArray | undefined;
  runningMean: GpuArray;
  runningVariance: GpuArray;
  epsilon: number;
}

/**
 * Filter and bias of one convolution equivalent to a convolution with w and `bias` followed by a batch
 * norm; w [R S C/groups K], or [R S C M] of a depthwise convolution with K = C·M channels.
 */
export function foldBatchNorm(
  runtime: Runtime,
  w: GpuArray,
  bias: GpuArray | undefined,
  { gamma, beta, runningMean, runningVariance, epsilon }: FoldedNorm,
): { w: GpuArray; bias: GpuArray } {
  const k = runningMean.size;
  const rows = w.size / k;
  const folded = runtime.alloc(w.shape);
  const shift = runtime.alloc(runningMean.shape);
  const lanes = k % 4 === 0 ? 4 : 1;
  // Two cores need few invocations, a GPU benefits from many.
  const wanted = Math.ceil((runtime.info.isSoftware ? 2048 : 2 ** 18) / (k / lanes));
  const rowsPerSlice = Math.ceil(rows / wanted);
  const slices = Math.ceil(rows / rowsPerSlice);
  runtime.dispatch({
    shader: 'batch_norm_fold',
    op: 'batchNorm fold',
    tune: lanes === 4 ? { Lanes: 'vec4<f32>' } : {},
    constants: {
      HAS_BIAS: bias !== undefined,
      HAS_GAMMA: gamma !== undefined,
      HAS_BETA: beta !== undefined,
    },
    bindings: {
      w,
      bias: bias ?? runtime.placeholder,
      gamma: gamma ?? runtime.placeholder,
      beta: beta ?? runtime.placeholder,
      running_mean: runningMean,
      running_variance: runningVariance,
      folded,
      shift,
    },
    params: { rows, K: k / lanes, rows_per_slice: rowsPerSlice, slices, epsilon },
    groups: Math.ceil(((k / lanes) * slices) / WORKGROUP),
    flops: w.size,
    bytes: 8 * w.size,
  });
  return { w: folded, bias: shift };
}
