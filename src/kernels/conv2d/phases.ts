import type { GpuArray } from '../../gpu/array.js';
import type { Runtime } from '../../gpu/runtime.js';
import { gcd, type Conv2dGeometry, type ConvolutionWindow } from './geometry.js';

/*
 * The gradient of a convolution's input as convolutions of dy.
 *
 * Pixel h of x met tap r of output p where p·stride + r·dilation = h + pad. So the pixels
 * h ≡ a (mod stride) met only the taps with r·dilation ≡ a + pad (mod stride): one of every
 * stride/g taps, g = gcd(stride, dilation). So each phase a is a stride-1 convolution of dy with these
 * taps, flipped and dilated by dilation/g, and no work is wasted on other taps.
 */

/** Taps of one axis for the pixels of one phase, and how dy is read for them. */
interface AxisPhase {
  /** Taps first, first + step, …; their number may be 0. */
  taps: number;
  first: number;
  step: number;
  /** Pixels phase, phase + stride, … below the image's size. */
  outputs: number;
  /**
   * Padding of the convolution of dy: pixel i reads dy at i − pad + j·dilation, where j counts flipped
   * taps.
   */
  pad: number;
  dilation: number;
}

function axisPhase(
  axis: { size: number; filter: number; stride: number; pad: number; dilation: number },
  phase: number,
): AxisPhase {
  const { size, filter, stride, pad, dilation } = axis;
  const step = stride / gcd(stride, dilation);
  let first = 0;
  while (first < step && (phase + pad - first * dilation) % stride !== 0) first++;
  const isMet = first < step && first < filter;
  const taps = isMet ? Math.ceil((filter - first) / step) : 0;
  const last = first + (taps - 1) * step;
  return {
    ...{ taps, first, step },
    outputs: Math.ceil((size - phase) / stride),
    // Flipped tap 0 is `last`: the output in which pixel `phase` met it.
    pad: isMet ? -((phase + pad - last * dilation) / stride) : 0,
    dilation: (step * dilation) / stride,
  };
}

/** One phase of dx, as a convolution of dy that writes every stride-th pixel. */
interface InputPhase extends ConvolutionWindow {
  rows: AxisPhase;
  columns: AxisPhase;
}

/** The convolutions of dy that together give dx; a single one for stride 1. */
function* inputPhases(geometry: Conv2dGeometry): Generator<InputPhase> {
  const { h, w, c, r, s, k, p, q, strideH, strideW } = geometry;
  for (let a = 0; a < Math.min(strideH, h); a++) {
    const rows = axisPhase(
      {
        ...{ size: h, filter: r, stride: strideH },
        ...{ pad: geometry.padTop, dilation: geometry.dilationH },
      },
      a,
    );
    for (let b = 0; b < Math.min(strideW, w); b++) {
      const columns = axisPhase(
        {
          ...{ size: w, filter: s, stride: strideW },
          ...{ pad: geometry.padLeft, dilation: geometry.dilationW },
        },
        b,
      );
      const flippedGeometry = {
        ...geometry,
        ...{ h: p, w: q, c: k, p: h, q: w, k: c, r: rows.taps, s: columns.taps },
        ...{ strideH: 1, strideW: 1, padTop: rows.pad, padLeft: columns.pad },
        ...{ dilationH: rows.dilation, dilationW: columns.dilation },
      };
      yield {
        ...{ rows, columns, geometry: flippedGeometry },
        outputs: [rows.outputs, columns.outputs],
        first: [a, b],
        step: [strideH, strideW],
      };
    }
  }
}

/** dx by convolutions of dy with flipped filters; `dispatch` computes one of them. */
export function gradInputByPhases(
  runtime: Runtime,
  dy: GpuArray,
  w: GpuArray,
  geometry: Conv2dGeometry,
  dispatch: (arrays: { x: GpuArray; w: GpuArray; y: GpuArray }, phase: InputPhase) => void,
): GpuArray {
  const dx = runtime.alloc([geometry.n, geometry.h, geometry.w, geometry.c]);
  for (const phase of inputPhases(geometry)) {
    const taps = flipFilter(runtime, w, geometry.groups, [phase.rows, phase.columns]);
    dispatch({ x: dy, w: taps ?? runtime.placeholder, y: dx }, phase);
    taps?.release();
  }
  return dx;
}

/** The stride-1 convolution of dy that gives dx, with the whole filter flipped. */
export function flippedGeometry(geometry: Conv2dGeometry): Conv2dGeometry {
  const { h, w, c, r, s, k, p, q, padTop, padBottom, padLeft, padRight } = geometry;
  return {
    ...geometry,
    ...{ h: p, w: q, c: k, p: h, q: w, k: c },
    ...{ padTop: r - 1 - padTop, padBottom: r - 1 - padBottom },
    ...{ padLeft: s - 1 - padLeft, padRight: s - 1 - padRight },
  };
}

/** w [R S C/groups K] → the named taps, flipped: [R′ S′ K/groups C]; null if there are none. */
function flipFilter(
  runtime: Runtime,
  w: GpuArray,
  groups: number,
  [rows, columns]: readonly [
    Pick<AxisPhase, 'taps' | 'first' | 'step'>,
    Pick<AxisPhase, 'taps' | 'first' | 'step'>,
  ],
): GpuArray | null {
  const [, , groupC, k] = w.shape as [number, number, number, number];
  if (rows.taps * columns.taps === 0) return null;
  const flipped = runtime.alloc([rows.taps, columns.taps, k / groups, groupC * groups], w.dtype);
  const isVec4 = groupC % 4 === 0 && (k / groups) % 4 === 0;
  runtime.dispatch({
    shader: isVec4 ? 'conv2d_flip_filter_vec4' : 'conv2d_flip_filter',
    op: 'conv2d flip filter',
    tune: { Elem: w.dtype },
    bindings: { w, flipped },
    params: {
      w_shape: w.shape,
      taps: [rows.taps, columns.taps],
      first: [rows.first, columns.first],
      step: [rows.step, columns.step],
      groups,
    },
    groups: isVec4
      ? [Math.ceil(k / groups / 32), Math.ceil((groupC * groups) / 32), rows.taps * columns.taps]
      : Math.ceil(flipped.size / 64),
    bytes: 2 * flipped.byteLength,
  });
  return flipped;
}
