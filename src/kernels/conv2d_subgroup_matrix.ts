import type { GpuArray } from '../gpu/array.js';
import type { Runtime } from '../gpu/runtime.js';
import { activationCodes } from './activation.js';
import { orPlaceholders, type Epilogue } from './bias_activation.js';
import { conv2dCost, type Conv2dGeometry } from './conv2d_geometry.js';
import { folded } from './conv2d_tiled.js';

/** Workgroup memory that tiles of 128×128 take: two padded tiles of f16, and the stage. */
const LARGE_TILE_BYTES = 24064;

/** Forward on the matrix units of a GPU; x and w are f16, sums and y f32. */
export function conv2dForwardSubgroupMatrix(
  runtime: Runtime,
  x: GpuArray,
  w: GpuArray,
  bias: GpuArray | undefined,
  geometry: Conv2dGeometry,
  { activation, residual }: Epilogue,
): GpuArray {
  const { n, h, w: width, c, r, s, k, p, q, groups } = geometry;
  const y = runtime.alloc([n, p, q, k]);
  const { maxComputeWorkgroupStorageSize = 16384 } = runtime.info.limits;
  const edge = maxComputeWorkgroupStorageSize >= LARGE_TILE_BYTES && k / groups > 64 ? 128 : 64;
  runtime.dispatch({
    shader: 'conv2d_subgroup_matrix',
    op: 'conv2d forward',
    tune: { BM: edge, BN: edge },
    constants: {
      HAS_BIAS: bias !== undefined,
      HAS_RESIDUAL: residual !== undefined,
      ACTIVATION: activationCodes[activation ?? 'none'],
    },
    bindings: { x, w, ...orPlaceholders(runtime, { bias, residual }), y },
    params: {
      x_shape: [n, h, width, c],
      y_shape: [n, p, q, k],
      filter_size: [r, s],
      stride: [geometry.strideH, geometry.strideW],
      pad: [geometry.padTop, geometry.padLeft],
      dilation: [geometry.dilationH, geometry.dilationW],
      groups,
    },
    groups: [
      ...folded(Math.ceil((n * p * q) / edge), runtime.info),
      groups * Math.ceil(k / groups / edge),
    ],
    ...conv2dCost(geometry, { x: 'f16', w: 'f16' }),
  });
  return y;
}
