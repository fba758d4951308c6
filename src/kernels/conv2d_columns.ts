import type { GpuArray } from '../gpu/array.js';
import type { Runtime } from '../gpu/runtime.js';
import { conv2dCost, type Conv2dGeometry } from './conv2d_geometry.js';
import { multiply } from './matmul.js';

/*
 * The gradient of an image of few channels: every pixel of dy times every tap, as one matrix
 * product [N·P·Q, K] · [K, R·S·C], and then the sum of the products that fell on the same pixel.
 * Few channels leave an implicit product without columns; here the taps are columns too.
 */

/** Columns of the product: vectors of four. */
function columnWidth({ r, s, c }: Conv2dGeometry): number {
  return Math.ceil((r * s * c) / 4) * 4;
}

/** What the products of all taps take in memory. */
export function columnBytes(geometry: Conv2dGeometry): number {
  return 4 * geometry.n * geometry.p * geometry.q * columnWidth(geometry);
}

export function conv2dGradInputColumns(
  runtime: Runtime,
  dy: GpuArray,
  w: GpuArray,
  geometry: Conv2dGeometry,
): GpuArray {
  const { n, h, w: imageWidth, c, r, s, k, p, q } = geometry;
  const op = 'conv2d grad-input';
  const width = columnWidth(geometry);
  const filter = runtime.alloc([k, width]);
  runtime.dispatch({
    shader: 'conv2d_columns_filter',
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
    shader: 'conv2d_columns_sum',
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
  return dx;
}
