import type { GpuArray } from '../../gpu/array.js';
import type { Runtime } from '../../gpu/runtime.js';
import { conv2dCost, type Conv2dDirection, type Conv2dGeometry } from '../conv2d/geometry.js';
import { needsDilation1 } from '../conv2d/requirements.js';
import { activationCodes, type FusedActivation } from '../lib/activation.js';
import type { DepthwiseProblem } from './params.js';
import { vec4Unsupported } from './vec4.js';

/*
 * Depthwise kernels that keep all taps of four channels and a tile of pixels in registers. Filter,
 * stride and tile are shader constants, so each filter size of a network has its own pipeline.
 */

const WORKGROUP = 64;

/** The largest filter that is kept in registers. */
const MOST_TAPS = 7;

export function tileUnsupported(problem: Pick<DepthwiseProblem, 'geometry'>): string | null {
  const { r, s, strideH, strideW } = problem.geometry;
  const reason = vec4Unsupported(problem);
  if (reason !== null) return reason;
  if (r > MOST_TAPS || s > MOST_TAPS) {
    return `it needs a filter of at most ${MOST_TAPS}×${MOST_TAPS}, got ${r}×${s}`;
  }
  if (strideH > 2 || strideW > 2) {
    return `it needs strides of at most 2, got ${strideH}×${strideW}`;
  }
  return needsDilation1(problem.geometry);
}

type TileDirection = Exclude<Conv2dDirection, 'gradWeight'>;

/** Pixels that one invocation computes. */
type DepthwiseTile = readonly [rows: number, columns: number];

export function depthwiseForwardTile(
  runtime: Runtime,
  x: GpuArray,
  w: GpuArray,
  bias: GpuArray | undefined,
  geometry: Conv2dGeometry,
  activation: FusedActivation | undefined,
): GpuArray {
  const { n, p, q, k } = geometry;
  const tile = depthwiseTile('forward', geometry);
  const y = runtime.alloc([n, p, q, k]);
  runtime.dispatch({
    shader: 'depthwise_conv2d_forward_tile',
    op: 'depthwise-conv2d forward',
    tune: { ...filterTunables(geometry), TP: tile[0], TQ: tile[1] },
    constants: {
      HAS_BIAS: bias !== undefined,
      ACTIVATION: activationCodes[activation ?? 'none'],
    },
    bindings: { x, w, bias: bias ?? runtime.placeholder, y },
    params: { ...shapeParams(geometry), pad: [geometry.padTop, geometry.padLeft] },
    groups: Math.ceil((tileCount(n, [p, q], tile) * (k / 4)) / WORKGROUP),
    ...conv2dCost(geometry),
  });
  return y;
}

export function depthwiseGradInputTile(
  runtime: Runtime,
  dy: GpuArray,
  w: GpuArray,
  geometry: Conv2dGeometry,
): GpuArray {
  const { n, h, w: width, c } = geometry;
  const tile = depthwiseTile('gradInput', geometry);
  const vertical = firstOutput(geometry.padTop, geometry.r, geometry.strideH);
  const horizontal = firstOutput(geometry.padLeft, geometry.s, geometry.strideW);
  const dx = runtime.alloc([n, h, width, c]);
  runtime.dispatch({
    shader: 'depthwise_conv2d_grad_input_tile',
    op: 'depthwise-conv2d grad-input',
    tune: {
      ...filterTunables(geometry),
      LEAD_H: vertical.lead,
      LEAD_W: horizontal.lead,
      TH: tile[0],
      TW: tile[1],
    },
    bindings: { dy, w, dx },
    params: { ...shapeParams(geometry), first: [vertical.first, horizontal.first] },
    groups: Math.ceil((tileCount(n, [h, width], tile) * (c / 4)) / WORKGROUP),
    ...conv2dCost(geometry),
  });
  return dx;
}

/** The first output (possibly negative) that reads pixel 0, and the remainder. */
function firstOutput(pad: number, filter: number, stride: number): { first: number; lead: number } {
  const exact = pad - filter + 1;
  const first = Math.ceil(exact / stride) + 0; // + 0: no −0
  return { first, lead: first * stride - exact };
}

/** Most vector multiply-adds in an unrolled kernel: more take many seconds to compile on llvmpipe. */
const MOST_PRODUCTS = 400;
/** Larger tiles of small filters gain a tenth and take twice as long to compile. */
const MOST_PIXELS = 16;
/** Taller tiles, and in dx wider ones, were measured to take twice the time on llvmpipe. */
const MOST_ROWS = 4;
const MOST_COLUMNS = { forward: 8, gradInput: 4 };
/** Cost of a vector load or store on llvmpipe, in vector multiply-adds. */
const ACCESS = 10;

/**
 * The cheapest tile for an image: a large one loads less per pixel, one that divides the image evenly
 * computes fewer pixels outside it.
 */
export function depthwiseTile(direction: TileDirection, geometry: Conv2dGeometry): DepthwiseTile {
  const { h, w, r, s, p, q, strideH, strideW } = geometry;
  const isGradInput = direction === 'gradInput';
  // A tile of dx begins at a multiple of the stride.
  const [stepH, stepW] = isGradInput ? [strideH, strideW] : [1, 1];
  const image = isGradInput ? ([h, w] as const) : ([p, q] as const);
  let best: DepthwiseTile = [stepH, stepW];
  let least = Infinity;
  for (let rows = stepH; rows <= MOST_ROWS; rows += stepH) {
    for (let columns = stepW; columns <= stepW * MOST_COLUMNS[direction]; columns += stepW) {
      const tile = [rows, columns] as const;
      // In dx only one pixel in stride² meets a given tap.
      const pixels = (rows * columns) / (stepH * stepW);
      if (pixels > MOST_PIXELS || pixels * r * s > MOST_PRODUCTS) continue;
      const total = tileCost(direction, geometry, tile) * tileCount(1, image, tile);
      if (total < least) [best, least] = [tile, total];
    }
  }
  return best;
}

/** In multiply-adds of vectors. */
function tileCost(
  direction: TileDirection,
  { r, s, strideH, strideW }: Conv2dGeometry,
  [rows, columns]: DepthwiseTile,
): number {
  const pixels = rows * columns;
  const kept = ACCESS * (r * s + pixels);
  if (direction === 'gradInput') {
    const read = (rows + r - 1) * (columns + s - 1);
    return kept + (pixels * r * s + ACCESS * read) / (strideH * strideW);
  }
  const read = ((rows - 1) * strideH + r) * ((columns - 1) * strideW + s);
  return kept + pixels * r * s + ACCESS * read;
}

function tileCount(images: number, [height, width]: DepthwiseTile, tile: DepthwiseTile): number {
  return images * Math.ceil(height / tile[0]) * Math.ceil(width / tile[1]);
}

function filterTunables({ r, s, strideH, strideW }: Conv2dGeometry) {
  return { R: r, S: s, STRIDE_H: strideH, STRIDE_W: strideW };
}

function shapeParams({ n, h, w, c, p, q, k }: Conv2dGeometry) {
  return { x_shape: [n, h, w, c], y_shape: [n, p, q, k] };
}
