import type { GpuArray } from '../../gpu/array.js';
import type { Runtime } from '../../gpu/runtime.js';
import { activationCodes } from '../lib/activation.js';
import { finishInPlace, type Epilogue } from '../lib/bias_activation.js';
import { conv2dCost, type Conv2dGeometry, type Conv2dProblem } from './geometry.js';
import {
  CHANNELS,
  gradWeightInSlices,
  laneTile,
  loadedColumns,
  needsLanes,
  needsNarrow,
} from './lanes.js';
import { needsMultiple } from './requirements.js';

/* Small-channel convolutions, by subgroup shuffles over 8 lanes. */

export function smallChannelUnsupported(problem: Conv2dProblem): string | null {
  const { direction, geometry } = problem;
  return (
    needsLanes(problem) ??
    (direction === 'forward' ? needsNarrow(geometry) : null) ??
    needsMultiple(geometry, 'k', 4)
  );
}

/** Sums of vec4 that a lane keeps: on llvmpipe 28 were up to a fifth faster than 14. */
const SUMS = 28;

export function conv2dForwardSmallChannel(
  runtime: Runtime,
  x: GpuArray,
  w: GpuArray,
  bias: GpuArray | undefined,
  geometry: Conv2dGeometry,
  { activation, residual }: Epilogue,
): GpuArray {
  const { n, h, w: width, c, k, p, q } = geometry;
  const y = runtime.alloc([n, p, q, k]);
  const tile = laneTile(q, SUMS);
  const { STEP, DILATION, gap } = loadedColumns(geometry);
  runtime.dispatch({
    shader: 'conv2d_forward_small_channel',
    op: 'conv2d forward',
    tune: { ...tile, S: geometry.s, STEP, DILATION },
    // First layers have no residual, so one is added in a separate pass.
    constants: { ACTIVATION: activationCodes[(!residual && activation) || 'none'] },
    bindings: { x, w, bias: bias ?? runtime.placeholder, y },
    params: {
      x_shape: [n, h, width, c],
      y_shape: [n, p, q, k],
      stride: [geometry.strideH, geometry.strideW],
      pad: [geometry.padTop, geometry.padLeft],
      column_gap: gap,
      row_dilation: geometry.dilationH,
      filter_rows: geometry.r,
      has_bias: Number(bias !== undefined),
    },
    groups: [Math.ceil(k / CHANNELS), Math.ceil(q / tile.TQ), Math.ceil((n * p) / tile.TP)],
    ...conv2dCost(geometry),
  });
  if (residual) finishInPlace(runtime, 'conv2d forward', y, undefined, { activation, residual });
  return y;
}

/** Filter rows of a workgroup. */
const ROWS = 13;

export function conv2dGradWeightSmallChannel(
  runtime: Runtime,
  x: GpuArray,
  dy: GpuArray,
  geometry: Conv2dGeometry,
): GpuArray {
  return gradWeightInSlices(runtime, x, dy, geometry, {
    shader: 'conv2d_grad_weight_small_channel',
    tune: { TT: ROWS },
    blocks: Math.ceil((geometry.r * geometry.s * geometry.c) / ROWS),
  });
}
