import type { DeviceInfo } from '../../gpu/adapter.js';
import type { Conv2dDirection, Conv2dGeometry } from '../conv2d/geometry.js';

/** What a kernel is chosen for; operands are f32. */
export interface DepthwiseProblem {
  direction: Conv2dDirection;
  geometry: Conv2dGeometry;
  info: Pick<DeviceInfo, 'isSoftware'>;
}

/* Parameters that kernels share. */

export function windowParams(geometry: Conv2dGeometry) {
  const { n, h, w, c, r, s, k, p, q } = geometry;
  return {
    x_shape: [n, h, w, c],
    y_shape: [n, p, q, k],
    filter_size: [r, s],
    ...stepParams(geometry),
  };
}

export function stepParams(geometry: Conv2dGeometry) {
  return {
    stride: [geometry.strideH, geometry.strideW],
    pad: [geometry.padTop, geometry.padLeft],
    dilation: [geometry.dilationH, geometry.dilationW],
  };
}
