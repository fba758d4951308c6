import type { DeviceInfo } from '../gpu/adapter.js';
import type { GpuArray } from '../gpu/array.js';
import type { Runtime } from '../gpu/runtime.js';
import type { Pool2dKind } from './pool2d.js';

const WORKGROUP = 64;

/** Vectors of four channels, 16 invocations per output, or both ('sliced' is a forward kernel). */
export type GlobalPool2dVariant = 'naive' | 'vec4' | 'sliced';

export interface GlobalPool2dGeometry {
  kind: Pool2dKind;
  n: number;
  h: number;
  w: number;
  c: number;
}

/** The kernels that can compute a geometry. */
export function globalPool2dVariants({ c }: GlobalPool2dGeometry): GlobalPool2dVariant[] {
  return c % 4 === 0 ? ['naive', 'vec4', 'sliced'] : ['naive', 'sliced'];
}

/**
 * Maximum or mean of all pixels; x [N H W C] → y [N C]. With `keepsIndex` also the pixel h·W + w
 * of each maximum, u32 [N C].
 */
export function globalPool2dForward(
  runtime: Runtime,
  x: GpuArray,
  geometry: GlobalPool2dGeometry,
  options: { keepsIndex?: boolean; variant?: GlobalPool2dVariant | undefined } = {},
): { y: GpuArray; index?: GpuArray } {
  const { kind, n, c } = geometry;
  const variant = options.variant ?? chooseForward(geometry, runtime.info);
  const lanes = lanesOf(geometry, variant);
  const isSliced = variant === 'sliced';
  const y = runtime.alloc([n, c]);
  const index = options.keepsIndex ? runtime.alloc([n, c], 'u32') : undefined;
  runtime.dispatch({
    shader: isSliced ? 'global_pool2d_forward_sliced' : 'global_pool2d_forward_naive',
    op: `global ${kind} pool forward`,
    tune: tuneOf(lanes),
    constants: { IS_MAX: kind === 'max', KEEP_INDEX: index !== undefined },
    bindings: { x, y, index: index ?? runtime.placeholder },
    params: paramsOf(geometry, lanes),
    groups: isSliced ? n * Math.ceil(c / lanes / 16) : Math.ceil((n * c) / lanes / WORKGROUP),
    ...globalPool2dCost(geometry),
  });
  return index ? { y, index } : { y };
}

/** dx [N H W C]; dy [N C], and for maxima their pixels as forward kept them. */
export function globalPool2dBackward(
  runtime: Runtime,
  dy: GpuArray,
  index: GpuArray | undefined,
  geometry: GlobalPool2dGeometry,
  options: { variant?: GlobalPool2dVariant | undefined } = {},
): GpuArray {
  const { kind, n, h, w, c } = geometry;
  const lanes = lanesOf(geometry, options.variant);
  const dx = runtime.alloc([n, h, w, c]);
  runtime.dispatch({
    shader: 'global_pool2d_backward_naive',
    op: `global ${kind} pool backward`,
    tune: tuneOf(lanes),
    constants: { IS_MAX: kind === 'max' },
    bindings: { dy, index: index ?? runtime.placeholder, dx },
    params: paramsOf(geometry, lanes),
    groups: Math.ceil(dx.size / lanes / WORKGROUP),
    ...globalPool2dCost(geometry),
  });
  return dx;
}

function chooseForward(geometry: GlobalPool2dGeometry, info: DeviceInfo): GlobalPool2dVariant {
  const { n, h, w, c } = geometry;
  const wide = c % 4 === 0 ? 'vec4' : 'naive';
  // On a software adapter barriers cost more than long loops.
  if (info.isSoftware) return wide;
  // Enough outputs to fill a GPU, or too few pixels to share.
  if ((n * c) / (wide === 'vec4' ? 4 : 1) >= 32768 || h * w < 64) return wide;
  return 'sliced';
}

/** One addition or comparison for each pixel; each array is touched once. */
export function globalPool2dCost({ n, h, w, c }: GlobalPool2dGeometry) {
  return { flops: n * h * w * c, bytes: 4 * (n * h * w * c + n * c) };
}

/** Channels per invocation: pooling is bound by memory, so four if C allows it. */
function lanesOf({ c }: GlobalPool2dGeometry, variant?: GlobalPool2dVariant): 1 | 4 {
  return variant === 'naive' || c % 4 !== 0 ? 1 : 4;
}

function tuneOf(lanes: number): Record<string, string> {
  return lanes === 4 ? { Lanes: 'vec4<f32>', Places: 'vec4<u32>' } : {};
}

function paramsOf({ n, h, w, c }: GlobalPool2dGeometry, lanes: number) {
  return { N: n, pixels: h * w, C: c / lanes };
}
