import { sizeOf } from '../../gpu/array.js';
import { ShapeError, valueText } from '../../errors.js';
import { pairOf, type Pair } from '../../kernels/lib/window_geometry.js';
import {
  fitsResizeVectors,
  resizeBackward,
  resizeFlops,
  resizeForward,
  resizeVariants,
  type ResizeAxis,
  type ResizeGeometry,
  type ResizeVariant,
} from '../../kernels/resize.js';
import type { InputMetas, OpRecord, Plan } from '../record.js';
import { expectInput, label, withShapes } from '../shapes.js';

export interface ResizeOptions {
  /** Height and width of y; this or `scale`. */
  size?: Pair;
  /** Factor of height and width; sizes are rounded down. */
  scale?: Pair;
  /** The nearest pixel, or a mean of the four around, weighted by distance. Default 'nearest'. */
  mode?: 'nearest' | 'bilinear';
  /** The centres of the corner pixels stay where they are; default: the corners of the images do. */
  alignCorners?: boolean;
  /** @internal For benches and tests: the kernel to use instead of the chosen one. */
  variant?: ResizeVariant;
}

export interface ResizePlan extends Plan {
  geometry: ResizeGeometry;
}

/** y[n,p,q,c] = x at (src(p), src(q)), src(p) = (p + ½) · H/P − ½, or p · (H−1)/(P−1) with alignCorners. */
export const resize: OpRecord<ResizeOptions, ResizePlan> = {
  name: 'resize',
  variants: ({ geometry }) => (fitsResizeVectors(geometry) ? resizeVariants : []),
  inputs: { x: 'N H W C' },
  shape: resizePlan,
  forward: ({ runtime, inputs, options, plan }) => ({
    y: resizeForward(runtime, inputs.x!, plan.geometry, options.variant),
  }),
  saves: {},
  derivatives: {
    x: 'dx[n,h,w,c] = Σ_{p,q} dy[n,p,q,c] · (weight with which y[n,p,q] reads x[n,h,w])',
  },
  backward({ runtime, dy, options, plan, needs }) {
    if (!needs.x) return {};
    return { x: resizeBackward(runtime, dy, plan.geometry, options.variant) };
  },
  flops: (_inputs, plan) => resizeFlops(plan.geometry),
  bytes: (inputs, plan) => 4 * (sizeOf(inputs.x!.shape) + sizeOf(plan.shape)),
  source: 'bilinear interpolation: Press et al., Numerical Recipes, section 3.6',
};

function resizePlan(inputs: InputMetas, options: ResizeOptions): ResizePlan {
  const x = expectInput('resize', 'x', inputs.x, 'N H W C');
  const [n, h, w, c] = x.shape as [number, number, number, number];
  return withShapes(`x ${label(x, 'N H W C')}`, () => {
    const [p, q] = outputSize(h, w, options);
    const { mode = 'nearest', alignCorners = false } = options;
    if (mode !== 'nearest' && mode !== 'bilinear') {
      throw new ShapeError(`resize: mode must be 'nearest' or 'bilinear', got '${String(mode)}'`);
    }
    const isLinear = mode === 'bilinear';
    const geometry: ResizeGeometry = {
      xShape: [n, h, w, c],
      yShape: [n, p, q, c],
      isLinear,
      rows: axisOf(h, p, isLinear, alignCorners),
      columns: axisOf(w, q, isLinear, alignCorners),
    };
    return { shape: geometry.yShape, dtype: 'f32', geometry };
  });
}

function outputSize(h: number, w: number, { size, scale }: ResizeOptions): [number, number] {
  if ((size === undefined) === (scale === undefined)) {
    throw new ShapeError('resize: expected either size or scale', 'give one of the two');
  }
  if (size !== undefined) return pairOf('resize', 'size', size);
  const [high, wide] = typeof scale === 'number' ? [scale, scale] : scale!;
  const lengths: [number, number] = [Math.floor(h * high), Math.floor(w * wide)];
  if (lengths.every((length) => Number.isInteger(length) && length > 0)) return lengths;
  throw new ShapeError(
    `resize: scale must leave at least one row and column, got ${valueText(scale)}`,
  );
}

/** src(p) as a fraction of whole numbers. The nearest pixel is the whole part of src(p) + ½. */
function axisOf(
  length: number,
  outputs: number,
  isLinear: boolean,
  alignCorners: boolean,
): ResizeAxis {
  if (2 * (length + 1) * (outputs + 1) >= 2 ** 31) {
    throw new ShapeError(`resize: ${length} to ${outputs} pixels are too many for one axis`);
  }
  const steps = Math.max(outputs - 1, 1);
  if (alignCorners && isLinear) return [length - 1, 0, steps];
  if (alignCorners) return [2 * (length - 1), outputs > 1 ? steps : 0, 2 * steps];
  return [2 * length, isLinear ? length - outputs : length, 2 * outputs];
}
