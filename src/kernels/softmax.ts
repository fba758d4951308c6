import type { DeviceInfo } from '../gpu/adapter.js';
import type { GpuArray } from '../gpu/array.js';
import type { Runtime } from '../gpu/runtime.js';

const WORKGROUP = 64;

/** One invocation per row, or one workgroup. */
export const softmaxVariants = ['naive', 'row'] as const;
export type SoftmaxVariant = (typeof softmaxVariants)[number];

/** The axis inside the shape: element k of row (o, i) lies at (o · k-length + k) · inner + i. */
export interface SoftmaxGeometry {
  op: 'softmax' | 'logSoftmax';
  outer: number;
  k: number;
  inner: number;
}

/** softmax(x) or log softmax(x) along the axis; x → x's shape. */
export function softmaxForward(
  runtime: Runtime,
  x: GpuArray,
  geometry: SoftmaxGeometry,
  options: { variant?: SoftmaxVariant | undefined } = {},
): GpuArray {
  const y = runtime.alloc(x.shape);
  runtime.dispatch({
    ...common(runtime.info, 'forward', geometry, options.variant),
    bindings: { x, y },
    flops: 4 * x.size,
    bytes: 8 * x.size,
  });
  return y;
}

/** dx from the output y; all of one shape. */
export function softmaxBackward(
  runtime: Runtime,
  dy: GpuArray,
  y: GpuArray,
  geometry: SoftmaxGeometry,
  options: { variant?: SoftmaxVariant | undefined } = {},
): GpuArray {
  const dx = runtime.alloc(dy.shape);
  runtime.dispatch({
    ...common(runtime.info, 'backward', geometry, options.variant),
    bindings: { dy, y, dx },
    flops: 4 * dy.size,
    bytes: 12 * dy.size,
  });
  return dx;
}

function common(
  info: DeviceInfo,
  direction: 'forward' | 'backward',
  geometry: SoftmaxGeometry,
  given: SoftmaxVariant | undefined,
) {
  const { op, outer, k, inner } = geometry;
  const variant = given ?? chooseVariant(geometry, info);
  const rows = outer * inner;
  return {
    shader: `softmax_${direction}_${variant}`,
    op: `${op} ${direction}`,
    constants: { IS_LOG: op === 'logSoftmax' },
    params: { rows, K: k, inner },
    groups: variant === 'row' ? rows : Math.ceil(rows / WORKGROUP),
  };
}

function chooseVariant({ k, inner }: SoftmaxGeometry, info: DeviceInfo): SoftmaxVariant {
  // On a software adapter barriers cost more than scattered loads.
  if (info.isSoftware) return 'naive';
  // Neighbouring rows are adjacent, so loads of one invocation per row are already coalesced.
  if (inner >= WORKGROUP) return 'naive';
  // A shorter row would leave most of a workgroup idle.
  return k >= WORKGROUP ? 'row' : 'naive';
}
