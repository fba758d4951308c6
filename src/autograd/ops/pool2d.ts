import { ShapeError } from '../../errors.js';
import {
  pairOf,
  windowGeometry,
  type Padding,
  type Pair,
} from '../../kernels/lib/window_geometry.js';
import {
  pool2dBackward,
  pool2dCost,
  pool2dForward,
  pool2dVariants,
  type Pool2dGeometry,
  type Pool2dKind,
  type Pool2dVariant,
} from '../../kernels/pool2d.js';
import type { InputMetas, OpRecord, Plan } from '../record.js';
import { expectInput, label, withShapes } from '../shapes.js';

export interface Pool2dOptions {
  /** Height and width of the window. */
  size: Pair;
  /** Steps of the window; default: its size, so that windows touch and do not overlap. */
  stride?: Pair;
  padding?: Padding;
  /** Distance of the pixels of a window. Default 1. */
  dilation?: Pair;
  /** Keeps a last window that reaches beyond the image and its padding. Default false. */
  ceilMode?: boolean;
  /** avgPool2d: count the pixels on the padding too. Default false. */
  countIncludePad?: boolean;
  /** @internal For benches and tests: the kernel to use instead of the chosen one. */
  variant?: Pool2dVariant;
}

export interface Pool2dPlan extends Plan {
  geometry: Pool2dGeometry;
}

/** y[n,p,q,c] = max_{r,s} x[n, p·stride+r−pad, …, c]; the first of equal maxima takes the gradient. */
export const maxPool2d = poolRecord('max', {
  saves: { index: ['x'] },
  derivatives: { x: 'dx[n,h,w,c] = Σ_{p,q: argmax(p,q) = (h,w)} dy[n,p,q,c]' },
});

/** y[n,p,q,c] = Σ_{r,s} x[n, p·stride+r−pad, …, c] / count, over pixels inside the image. */
export const avgPool2d = poolRecord('avg', {
  saves: {},
  derivatives: { x: 'dx[n,h,w,c] = Σ_{p,q over (h,w)} dy[n,p,q,c] / count(p,q)' },
});

/** Where maxPool2d found its maxima: h·W + w of each, i32. No gradient. */
export const maxPool2dIndices: OpRecord<Pool2dOptions, Pool2dPlan> = {
  name: 'maxPool2dIndices',
  inputs: { x: 'N H W C' },
  shape: (inputs, options) => ({ ...pool2dPlan('max', inputs, options), dtype: 'i32' }),
  forward({ runtime, inputs, options: { variant }, plan }) {
    const options = { keepsIndex: true, variant };
    const { y, index } = pool2dForward(runtime, inputs.x!, plan.geometry, options);
    y.release();
    return { y: index! };
  },
  saves: {},
  derivatives: {},
  backward: () => ({}),
  flops: (_inputs, plan) => pool2dCost(plan.geometry).flops,
  bytes: (_inputs, plan) => pool2dCost(plan.geometry).bytes,
  source: maxPool2d.source,
};

/** The record of one member of the family. */
export function recordOf(options: { kind: Pool2dKind }): OpRecord<Pool2dOptions, Pool2dPlan> {
  return options.kind === 'max' ? maxPool2d : avgPool2d;
}

function poolRecord(
  kind: Pool2dKind,
  own: Pick<OpRecord, 'saves' | 'derivatives'>,
): OpRecord<Pool2dOptions, Pool2dPlan> {
  return {
    name: `${kind}Pool2d`,
    variants: (plan) => pool2dVariants(plan.geometry),
    inputs: { x: 'N H W C' },
    shape: (inputs, options) => pool2dPlan(kind, inputs, options),
    forward({ runtime, inputs, options, plan, keepsExtras }) {
      const keepsIndex = kind === 'max' && keepsExtras;
      const { variant } = options;
      const { y, index } = pool2dForward(runtime, inputs.x!, plan.geometry, {
        keepsIndex,
        variant,
      });
      return index ? { y, extras: { index } } : { y };
    },
    ...own,
    backward({ runtime, dy, saved, options, plan, needs }) {
      if (!needs.x) return {};
      const { variant } = options;
      const index = kind === 'max' ? saved.index : undefined;
      return { x: pool2dBackward(runtime, dy, index, plan.geometry, { variant }) };
    },
    flops: (_inputs, plan) => pool2dCost(plan.geometry).flops,
    bytes: (_inputs, plan) => pool2dCost(plan.geometry).bytes,
    source: 'Dumoulin & Visin, arXiv:1603.07285, sections 1.2 and 3',
  };
}

function pool2dPlan(kind: Pool2dKind, inputs: InputMetas, options: Pool2dOptions): Pool2dPlan {
  const op = `${kind}Pool2d`;
  const x = expectInput(op, 'x', inputs.x, 'N H W C');
  const [n, h, w, c] = x.shape as [number, number, number, number];
  return withShapes(`x ${label(x, 'N H W C')}`, () => {
    if (options.size === undefined) throw new ShapeError(`${op}: size is missing`);
    const [r, s] = pairOf(op, 'size', options.size);
    const { stride = options.size, padding = 'valid', countIncludePad = false } = options;
    const { dilation, ceilMode } = options;
    const window = windowGeometry(op, { h, w, r, s }, { stride, padding, dilation, ceilMode });
    expectPixels(op, [h, w], [r, s], window);
    const geometry = { kind, n, h, w, c, r, s, countIncludePad, ...window };
    return { shape: [n, window.p, window.q, c], dtype: 'f32', geometry };
  });
}

/** Every window must have a pixel inside the image, and the padding be smaller than it. */
function expectPixels(
  op: string,
  [h, w]: readonly [number, number],
  [r, s]: readonly [number, number],
  window: ReturnType<typeof windowGeometry>,
): void {
  const { padTop, padBottom, padLeft, padRight } = window;
  const { p, q, strideH, strideW, dilationH, dilationW } = window;
  const isPadding =
    Math.max(padTop, padBottom) >= r * dilationH || Math.max(padLeft, padRight) >= s * dilationW;
  const isEmpty =
    hasEmptyWindow(h, r, { outputs: p, stride: strideH, pad: padTop, dilation: dilationH }) ||
    hasEmptyWindow(w, s, { outputs: q, stride: strideW, pad: padLeft, dilation: dilationW });
  if (!isPadding && !isEmpty) return;
  throw new ShapeError(
    `${op}: padding must be smaller than the window, got padding [[${padTop}, ${padBottom}], [${padLeft}, ${padRight}]] round a window of ${r}×${s}`,
    'a window that lies on padding alone has no value',
  );
}

/** Whether a window has no pixel inside the image, along one axis. */
function hasEmptyWindow(
  length: number,
  size: number,
  axis: { outputs: number; stride: number; pad: number; dilation: number },
): boolean {
  for (let output = 0; output < axis.outputs; output++) {
    const begin = output * axis.stride - axis.pad;
    const first = begin + Math.ceil(Math.max(-begin, 0) / axis.dilation) * axis.dilation;
    if (first >= length || first > begin + (size - 1) * axis.dilation) return true;
  }
  return false;
}
