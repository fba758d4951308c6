import type { GpuArray } from '../gpu/array.js';
import type { Runtime } from '../gpu/runtime.js';
import { activationCodes } from './activation.js';
import { finishInPlace, type Epilogue } from './bias_activation.js';
import { conv2dCost, type Conv2dGeometry } from './conv2d_geometry.js';
import { CHANNELS, gradWeightInSlices, laneTile, loadedColumns } from './conv2d_lanes.js';

/* Convolutions of images of few channels, for subgroups of 8 lanes. */

/** Sums of vec4 that a lane keeps: on llvmpipe 28 were up to a fifth faster than 14. */
const SUMS = 28;

export function conv2dForwardFew(
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
    shader: 'conv2d_few',
    op: 'conv2d forward',
    tune: { ...tile, S: geometry.s, STEP, DILATION },
    // A first layer has no shortcut beside it: a residual takes a pass of its own.
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

export function conv2dGradWeightFew(
  runtime: Runtime,
  x: GpuArray,
  dy: GpuArray,
  geometry: Conv2dGeometry,
): GpuArray {
  return gradWeightInSlices(runtime, x, dy, geometry, {
    shader: 'conv2d_grad_weight_few',
    tune: { TT: ROWS },
    blocks: Math.ceil((geometry.r * geometry.s * geometry.c) / ROWS),
  });
}
