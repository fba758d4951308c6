import type { GpuArray } from '../gpu/array.js';
import type { Runtime } from '../gpu/runtime.js';

const WORKGROUP = 64;

/** One channel an invocation, or four. */
export const resizeVariants = ['naive', 'vec4'] as const;
export type ResizeVariant = (typeof resizeVariants)[number];

/** Source position along an axis: output p reads at max(p · a + b, 0) / d. */
export type ResizeAxis = readonly [a: number, b: number, d: number];

/** x [N H W C] → y [N P Q C]. */
export interface ResizeGeometry {
  xShape: readonly [number, number, number, number];
  yShape: readonly [number, number, number, number];
  rows: ResizeAxis;
  columns: ResizeAxis;
  isLinear: boolean;
}

export function fitsResizeVectors({ xShape }: ResizeGeometry): boolean {
  return xShape[3] % 4 === 0;
}

/** Images of another size. */
export function resizeForward(
  runtime: Runtime,
  x: GpuArray,
  geometry: ResizeGeometry,
  variant?: ResizeVariant,
): GpuArray {
  const y = runtime.alloc(geometry.yShape);
  launch(runtime, 'forward', { x, y }, geometry, y.size, variant);
  return y;
}

/** dx; dy [N P Q C] → [N H W C]. */
export function resizeBackward(
  runtime: Runtime,
  dy: GpuArray,
  geometry: ResizeGeometry,
  variant?: ResizeVariant,
): GpuArray {
  const dx = runtime.alloc(geometry.xShape);
  launch(runtime, 'backward', { dy, dx }, geometry, dx.size, variant);
  return dx;
}

function launch(
  runtime: Runtime,
  direction: 'forward' | 'backward',
  bindings: Record<string, GpuArray>,
  geometry: ResizeGeometry,
  size: number,
  // Bound by memory: vec4 loads wherever there are four channels.
  variant: ResizeVariant = fitsResizeVectors(geometry) ? 'vec4' : 'naive',
): void {
  const lanes = variant === 'vec4' ? 4 : 1;
  const { rows, columns, isLinear } = geometry;
  const inLanes = ([n, h, w, c]: ResizeGeometry['xShape']) => [n, h, w, c / lanes];
  runtime.dispatch({
    shader: `resize_${direction}_naive`,
    op: `resize ${direction}`,
    tune: lanes === 4 ? { Lanes: 'vec4<f32>' } : {},
    constants: { LINEAR: isLinear },
    bindings,
    params: { x_shape: inLanes(geometry.xShape), y_shape: inLanes(geometry.yShape), rows, columns },
    groups: Math.ceil(size / lanes / WORKGROUP),
    flops: resizeFlops(geometry),
    bytes: Object.values(bindings).reduce((sum, array) => sum + array.byteLength, 0),
  });
}

/** Four products per output where pixels are mixed. */
export function resizeFlops({ yShape: [n, p, q, c], isLinear }: ResizeGeometry): number {
  return isLinear ? 8 * n * p * q * c : 0;
}
