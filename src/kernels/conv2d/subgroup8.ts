import type { GpuArray } from '../../gpu/array.js';
import type { Runtime } from '../../gpu/runtime.js';
import { activationCodes } from '../lib/activation.js';
import { orPlaceholders, type Epilogue } from '../lib/bias_activation.js';
import {
  conv2dCost,
  wholeOutput,
  type Conv2dGeometry,
  type Conv2dProblem,
  type ConvolutionWindow,
} from './geometry.js';
import {
  CHANNELS,
  gradWeightInSlices,
  laneTile,
  loadedColumns,
  needsLanes,
  needsNarrow,
} from './lanes.js';
import { gradInputByPhases } from './phases.js';
import { needsMultiple } from './requirements.js';
import type { Addend } from './launchers.js';

/* Convolutions in registers, by subgroup shuffles over 8 lanes: any stride and dilation, groups 1. */

/** Summed channels are read 8 at a time, one per lane; computed channels are written as vec4. */
export function conv2dSubgroup8Unsupported(problem: Conv2dProblem): string | null {
  const { direction, geometry } = problem;
  const reason = needsLanes(problem);
  if (reason !== null || direction === 'gradWeight') {
    return reason ?? needsMultiple(geometry, 'k', 4);
  }
  const [summed, computed] =
    direction === 'forward' ? (['c', 'k'] as const) : (['k', 'c'] as const);
  return (
    needsNarrow(geometry) ??
    needsMultiple(geometry, summed, 8) ??
    needsMultiple(geometry, computed, 4)
  );
}

export function conv2dForwardSubgroup8(
  runtime: Runtime,
  x: GpuArray,
  w: GpuArray,
  bias: GpuArray | undefined,
  geometry: Conv2dGeometry,
  epilogue: Epilogue,
): GpuArray {
  const y = runtime.alloc([geometry.n, geometry.p, geometry.q, geometry.k]);
  const arrays = { x, w, bias, y };
  dispatchSubgroup8(runtime, 'conv2d forward', arrays, wholeOutput(geometry), epilogue);
  return y;
}

export function conv2dGradInputSubgroup8(
  runtime: Runtime,
  dy: GpuArray,
  w: GpuArray,
  geometry: Conv2dGeometry,
  { addend }: Addend,
): GpuArray {
  return gradInputByPhases(runtime, dy, w, geometry, (arrays, phase) =>
    dispatchSubgroup8(runtime, 'conv2d grad-input', arrays, phase, { residual: addend }),
  );
}

/** vec4 sums per lane: fewer for wide filters, where each sum is code for many taps. */
const SUMS = { narrow: 24, wide: 16 };

function dispatchSubgroup8(
  runtime: Runtime,
  op: string,
  arrays: { x: GpuArray; w: GpuArray; bias?: GpuArray | undefined; y: GpuArray },
  { geometry, outputs, first, step }: ConvolutionWindow,
  { activation, residual }: Epilogue,
): void {
  const { n, h, w, c, r, s, k, p, q } = geometry;
  const tile = laneTile(outputs[1], s <= 3 ? SUMS.narrow : SUMS.wide);
  const { STEP, DILATION, gap } = loadedColumns(geometry);
  const isClamped = activation === 'relu' || activation === 'relu6';
  runtime.dispatch({
    shader: 'conv2d_forward_subgroup8',
    op,
    tune: { ...tile, S: Math.max(s, 1), STEP, DILATION },
    constants: { ACTIVATION: isClamped ? 0 : activationCodes[activation ?? 'none'] },
    bindings: { ...arrays, ...orPlaceholders(runtime, { bias: arrays.bias, residual }) },
    params: {
      x_shape: [n, h, w, c],
      y_shape: [n, p, q, k],
      ...{ outputs, first, step },
      stride: [geometry.strideH, geometry.strideW],
      pad: [geometry.padTop, geometry.padLeft],
      column_gap: gap,
      row_dilation: geometry.dilationH,
      // A phase of a gradient may have no taps: zeros are written.
      filter_rows: s === 0 ? 0 : r,
      has_bias: Number(arrays.bias !== undefined),
      clamp_range: [0, activation === 'relu6' ? 6 : 3.4028234663852886e38],
      is_clamped: Number(isClamped),
      has_residual: Number(residual !== undefined),
    },
    groups: [
      Math.ceil(k / CHANNELS),
      Math.ceil(outputs[1] / tile.TQ),
      Math.ceil((n * outputs[0]) / tile.TP),
    ],
    ...conv2dCost({ ...geometry, p: outputs[0], q: outputs[1] }),
  });
}

export function conv2dGradWeightSubgroup8(
  runtime: Runtime,
  x: GpuArray,
  dy: GpuArray,
  geometry: Conv2dGeometry,
): GpuArray {
  const { c, r, s, strideW, dilationW } = geometry;
  const taps = tapsOf(s);
  // With few taps, let a loaded dy serve more channels.
  const channels = Math.min(Math.ceil(c / 8), taps === 1 ? 4 : taps === 2 ? 2 : 1);
  const shift = strideW % dilationW === 0 ? Math.min(strideW / dilationW, taps) : taps;
  return gradWeightInSlices(runtime, x, dy, geometry, {
    shader: 'conv2d_grad_weight_subgroup8',
    tune: { TS: taps, TC: channels, SHIFT: shift },
    blocks: r * Math.ceil(s / taps) * Math.ceil(c / (8 * channels)),
  });
}

/** Filter columns of a workgroup: up to 5, with 8 vec4 sums each. */
function tapsOf(s: number): number {
  return Math.ceil(s / Math.ceil(s / 5));
}
