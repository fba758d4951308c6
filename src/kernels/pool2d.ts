import type { GpuArray } from '../gpu/array.js';
import type { Runtime } from '../gpu/runtime.js';
import type { windowGeometry } from './lib/window_geometry.js';

const WORKGROUP = 64;

export type Pool2dKind = 'max' | 'avg';
/** 'disjoint' is a gradient kernel; with it the forward pass runs its default. */
export type Pool2dVariant = 'naive' | 'vec4' | 'disjoint';

/** Input N H W C, window R × S, output N P Q C, and where the windows fall. */
export type Pool2dGeometry = ReturnType<typeof windowGeometry> & {
  kind: Pool2dKind;
  n: number;
  h: number;
  w: number;
  c: number;
  r: number;
  s: number;
  /** An average counts the pixels of the padding too. */
  countIncludePad: boolean;
};

interface Pool2dLaunch {
  variant?: Pool2dVariant | undefined;
  /** What profiles call it. */
  op?: string;
}

/** The kernels that can compute a geometry. */
export function pool2dVariants(geometry: Pool2dGeometry): Pool2dVariant[] {
  const variants: Pool2dVariant[] = ['naive'];
  if (geometry.c % 4 === 0) variants.push('vec4');
  if (isDisjoint(geometry)) variants.push('disjoint');
  return variants;
}

/**
 * Maximum or average of every window; x [N H W C] → y [N P Q C]. With `keepsIndex` also the place
 * h·W + w of each maximum, i32 [N P Q C].
 */
export function pool2dForward(
  runtime: Runtime,
  x: GpuArray,
  geometry: Pool2dGeometry,
  options: Pool2dLaunch & { keepsIndex?: boolean } = {},
): { y: GpuArray; index?: GpuArray } {
  const { n, p, q, c, kind, countIncludePad } = geometry;
  // Vectors of four channels if C allows it: pooling is bound by memory.
  const isVec4 = options.variant === 'naive' ? false : c % 4 === 0;
  const y = runtime.alloc([n, p, q, c]);
  const index = options.keepsIndex ? runtime.alloc([n, p, q, c], 'i32') : undefined;
  runtime.dispatch({
    shader: isVec4 ? 'pool2d_forward_vec4' : 'pool2d_forward_naive',
    op: options.op ?? `${kind}Pool2d forward`,
    constants: {
      IS_MAX: kind === 'max',
      KEEP_INDEX: index !== undefined,
      COUNT_PADDING: countIncludePad,
      ...dilationOf(geometry),
    },
    bindings: { x, y, index: index ?? runtime.placeholder },
    params: windowParams(geometry, isVec4 ? 4 : 1),
    groups: isVec4 ? rowGroups(q, c / 4, p, n) : Math.ceil(y.size / WORKGROUP),
    ...pool2dCost(geometry),
  });
  return index ? { y, index } : { y };
}

/**
 * dx of pooling; dy [N P Q C], and for maxima their places as forward kept them → dx [N H W C].
 */
export function pool2dBackward(
  runtime: Runtime,
  dy: GpuArray,
  index: GpuArray | undefined,
  geometry: Pool2dGeometry,
  options: Pool2dLaunch = {},
): GpuArray {
  const { n, h, w, c, kind, countIncludePad } = geometry;
  const variant = options.variant ?? chooseBackward(geometry);
  const dx = runtime.alloc([n, h, w, c]);
  const lanes = variant !== 'naive' && c % 4 === 0 ? 4 : 1;
  const common = {
    op: options.op ?? `${kind}Pool2d backward`,
    bindings: { dy, index: index ?? runtime.placeholder, dx },
    ...pool2dCost(geometry),
  };
  if (variant === 'disjoint') {
    const { x_shape, y_shape, size } = windowParams(geometry, lanes);
    runtime.dispatch({
      ...common,
      shader: 'pool2d_backward_disjoint',
      tune: lanes === 4 ? { Lanes: 'vec4<f32>', Places: 'vec4<u32>' } : {},
      constants: { IS_MAX: kind === 'max' },
      params: { x_shape, y_shape, size },
      groups: rowGroups(geometry.q, c / lanes, geometry.p, n),
    });
  } else {
    runtime.dispatch({
      ...common,
      shader: `pool2d_backward_${variant}`,
      constants: {
        IS_MAX: kind === 'max',
        COUNT_PADDING: countIncludePad,
        ...dilationOf(geometry),
      },
      params: windowParams(geometry, lanes),
      groups: variant === 'vec4' ? rowGroups(w, c / lanes, h, n) : Math.ceil(dx.size / WORKGROUP),
    });
  }
  return dx;
}

function chooseBackward(geometry: Pool2dGeometry): Pool2dVariant {
  // Reads each dy and index once; the most common case (2×2, stride 2) is disjoint.
  if (isDisjoint(geometry)) return 'disjoint';
  // A quarter of the index arithmetic, and vector loads.
  if (geometry.c % 4 === 0) return 'vec4';
  return 'naive';
}

function isDisjoint(geometry: Pool2dGeometry): boolean {
  const { h, w, r, s, p, q, strideH, strideW, dilationH, dilationW } = geometry;
  const { padTop, padBottom, padLeft, padRight } = geometry;
  const isPadded = padTop + padBottom + padLeft + padRight > 0;
  const isWhole = p * strideH <= h && q * strideW <= w;
  const isDense = dilationH * dilationW === 1;
  return r === strideH && s === strideW && isDense && isWhole && !isPadded;
}

/** One comparison or addition for each tap; each array is touched once. */
export function pool2dCost(geometry: Pool2dGeometry): { flops: number; bytes: number } {
  const { n, h, w, c, r, s, p, q } = geometry;
  return { flops: n * p * q * c * r * s, bytes: 4 * (n * h * w * c + n * p * q * c) };
}

/** A grid of (pixels and channels of one row, rows, images). */
function rowGroups(columns: number, c: number, rows: number, n: number): [number, number, number] {
  return [Math.ceil((columns * c) / WORKGROUP), rows, n];
}

function dilationOf({ dilationH, dilationW }: Pool2dGeometry) {
  return { DILATION_H: dilationH, DILATION_W: dilationW };
}

function windowParams(geometry: Pool2dGeometry, lanes: number) {
  const { n, h, w, c, r, s, p, q, strideH, strideW } = geometry;
  const { padTop, padBottom, padLeft, padRight } = geometry;
  return {
    x_shape: [n, h, w, c / lanes],
    y_shape: [n, p, q, c / lanes],
    size: [r, s],
    stride: [strideH, strideW],
    pad: [padTop, padLeft],
    padded: [h + padBottom, w + padRight],
  };
}
