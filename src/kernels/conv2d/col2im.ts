import type { GpuArray } from '../../gpu/array.js';
import type { Runtime } from '../../gpu/runtime.js';
import { addInPlace } from '../lib/accumulate.js';
import { multiply } from '../matmul/matmul.js';
import { conv2dCost, type Conv2dGeometry, type Conv2dProblem } from './geometry.js';
import { needsBuffer, needsUngrouped } from './requirements.js';
import type { Addend } from './launchers.js';

/*
 * Gradient of a small-channel input: one matmul [N·P·Q, K] · [K, R·S·C] multiplies every pixel of dy
 * with every tap, then col2im sums the products that belong to the same pixel. An implicit GEMM would
 * have only C columns; here the taps are columns too.
 */

/** With more channels, other kernels fill their tiles, and the columns take too much memory. */
const MOST_CHANNELS = 16;

export function col2imUnsupported({ geometry, info }: Conv2dProblem): string | null {
  const { n, c, p, q } = geometry;
  return (
    needsUngrouped(geometry) ??
    (c > MOST_CHANNELS ? `it needs C ≤ ${MOST_CHANNELS}, got ${c}` : null) ??
    needsBuffer(4 * n * p * q * columnWidth(geometry), info)
  );
}

/** Columns of the matmul, in whole vectors of four. */
function columnWidth({ r, s, c }: Conv2dGeometry): number {
  return Math.ceil((r * s * c) / 4) * 4;
}

export function conv2dGradInputCol2im(
  runtime: Runtime,
  dy: GpuArray,
  w: GpuArray,
  geometry: Conv2dGeometry,
  { addend }: Addend,
): GpuArray {
  const { n, h, w: imageWidth, c, r, s, k, p, q } = geometry;
  const op = 'conv2d grad-input';
  const width = columnWidth(geometry);
  const filter = runtime.alloc([k, width]);
  runtime.dispatch({
    shader: 'conv2d_grad_input_col2im_filter',
    op,
    bindings: { w, columns: filter },
    params: { size: r * s * c, width, k },
    groups: Math.ceil(filter.size / 64),
    bytes: 4 * (w.size + filter.size),
  });
  const pixels = dy.view([n * p * q, k]);
  const columns = multiply(runtime, pixels, filter, { op });
  pixels.release();
  filter.release();
  const dx = runtime.alloc([n, h, imageWidth, c]);
  runtime.dispatch({
    shader: 'conv2d_grad_input_col2im_sum',
    op,
    constants: { STRIDE_H: geometry.strideH, STRIDE_W: geometry.strideW },
    bindings: { columns, dx },
    params: {
      x_shape: [n, h, imageWidth, c],
      outputs: [p, q],
      filter_size: [r, s],
      pad: [geometry.padTop, geometry.padLeft],
      dilation: [geometry.dilationH, geometry.dilationW],
      width,
    },
    groups: Math.ceil(dx.size / 64),
    flops: conv2dCost(geometry).flops / (2 * k),
    bytes: 4 * (columns.size + dx.size),
  });
  columns.release();
  return addInPlace(runtime, dx, addend);
}
