import { ShapeError } from '../../errors.js';
import { activationGradient, type FusedActivation } from '../../kernels/lib/activation.js';
import { conv2dCost, type Conv2dGeometry } from '../../kernels/conv2d/geometry.js';
import {
  pairOf,
  windowGeometry,
  type Padding,
  type Pair,
} from '../../kernels/lib/window_geometry.js';
import {
  conv2dTransposeForward,
  conv2dTransposeGradInput,
  conv2dTransposeGradWeight,
  conv2dTransposeVariants,
  type Conv2dTransposeVariant,
} from '../../kernels/conv2d_transpose.js';
import { sumLeadingAxes } from '../../kernels/reduce.js';
import { expectBias } from '../conv_epilogue.js';
import type { InputMetas, OpRecord, Plan } from '../record.js';
import { expectInput, label } from '../shapes.js';

export interface Conv2dTransposeOptions {
  stride?: Pair;
  padding?: Padding;
  dilation?: Pair;
  /** Groups of channels, each convolved separately. Default 1. */
  groups?: number;
  /** Extra rows at the bottom and columns at the right, since several sizes fit a stride above 1. */
  outputPadding?: Pair;
  activation?: FusedActivation;
  /** @internal For benches and tests: the forward kernel to use instead of the chosen one. */
  variant?: Conv2dTransposeVariant;
}

export interface Conv2dTransposePlan extends Plan {
  /** Geometry of the convolution that is transposed: its input is our output. */
  geometry: Conv2dGeometry;
}

/**
 * Transposed convolution: the gradient of a convolution's input, used as an op that enlarges images.
 *
 * y[n, h·stride + r·dilation − pad, …, k] += Σ_c x[n,h,w,c] · w[r,s,k,c], then bias and activation;
 * with groups, c runs over the channels of k's group and w counts k within the group.
 */
export const conv2dTranspose: OpRecord<Conv2dTransposeOptions, Conv2dTransposePlan> = {
  name: 'conv2dTranspose',
  inputs: { x: 'N H W C', w: 'R S K/groups C', bias: 'K?' },
  shape: conv2dTransposePlan,
  variants: () => conv2dTransposeVariants,
  forward({ runtime, inputs, options, plan }) {
    const { activation, variant } = options;
    const epilogue = { activation, variant };
    return {
      y: conv2dTransposeForward(
        runtime,
        inputs.x!,
        inputs.w!,
        inputs.bias,
        plan.geometry,
        epilogue,
      ),
    };
  },
  saves: { x: ['w'], w: ['x'], y: ['x', 'w', 'bias'] },
  derivatives: {
    x: 'dx[n,h,w,c] = Σ_{r,s,k} dz[n,p,q,k] · w[r,s,k,c],  p = h·stride + r·dilation − pad',
    w: 'dw[r,s,k,c] = Σ_{n,h,w} x[n,h,w,c] · dz[n,p,q,k]',
    bias: 'db[k] = Σ_{n,p,q} dz[n,p,q,k],  dz = dy · activation′',
  },
  backward({ runtime, dy, saved, options, plan, needs }) {
    const { geometry } = plan;
    const dz = options.activation
      ? activationGradient(runtime, dy, saved.y, options.activation)
      : dy.retain();
    const gradients = {
      x: needs.x ? conv2dTransposeGradInput(runtime, dz, saved.w, geometry) : undefined,
      w: needs.w ? conv2dTransposeGradWeight(runtime, saved.x, dz, geometry) : undefined,
      bias: needs.bias ? sumLeadingAxes(runtime, dz) : undefined,
    };
    dz.release();
    return gradients;
  },
  flops: (_inputs, plan) => conv2dCost(plan.geometry).flops,
  bytes: (_inputs, plan) => conv2dCost(plan.geometry).bytes,
  source: 'Dumoulin and Visin, arXiv:1603.07285, section 4',
};

function conv2dTransposePlan(
  inputs: InputMetas,
  options: Conv2dTransposeOptions,
): Conv2dTransposePlan {
  const op = 'conv2dTranspose';
  const x = expectInput(op, 'x', inputs.x, 'N H W C');
  const w = expectInput(op, 'w', inputs.w, 'R S K C');
  const [n, height, width, c] = x.shape as [number, number, number, number];
  const [r, s, kOfGroup, channels] = w.shape as [number, number, number, number];
  const { groups = 1 } = options;
  const shapes = `(x ${label(x, 'N H W C')}, w ${label(w, 'R S K C')})`;
  if ([...x.shape, ...w.shape].includes(0)) {
    throw new ShapeError(`${op}: expected no dimension of 0 ${shapes}`);
  }
  if (channels !== c) {
    throw new ShapeError(
      `${op}: w has ${channels} input channels but x has ${c} ${shapes}`,
      'w is [R, S, K / groups, C]: output channels before input channels',
    );
  }
  if (!Number.isInteger(groups) || groups < 1 || c % groups !== 0) {
    throw new ShapeError(`${op}: groups must divide C=${c} channels, got ${groups} ${shapes}`);
  }
  const k = kOfGroup * groups;
  expectBias(op, inputs.bias, k);
  const window = transposedWindow(op, { height, width, r, s }, options, shapes);
  const geometry = { n, c: k, r, s, k: c, groups, ...window };
  return { shape: [n, window.h, window.w, k], dtype: 'f32', geometry };
}

/** The convolution's window, with our output as its input, computed from the size of our input. */
function transposedWindow(
  op: string,
  { height, width, r, s }: { height: number; width: number; r: number; s: number },
  options: Conv2dTransposeOptions,
  shapes: string,
) {
  const { padding = 'valid' } = options;
  const [strideH, strideW] = pairOf(op, 'stride', options.stride ?? 1);
  const [dilationH, dilationW] = pairOf(op, 'dilation', options.dilation ?? 1);
  const [extraH, extraW] = pairOf(op, 'outputPadding', options.outputPadding ?? 0, 0);
  if (extraH >= Math.max(strideH, dilationH) || extraW >= Math.max(strideW, dilationW)) {
    throw new ShapeError(
      `${op}: outputPadding must be smaller than the stride or the dilation, got ${extraH}×${extraW} with stride ${strideH}×${strideW} ${shapes}`,
    );
  }
  // The input size that the convolution needs for this output, including its padding.
  const full = (size: number, stride: number, filter: number, dilation: number): number =>
    padding === 'same' ? size * stride : (size - 1) * stride + (filter - 1) * dilation + 1;
  const fullH = full(height, strideH, r, dilationH);
  const fullW = full(width, strideW, s, dilationW);
  const window = windowGeometry(op, { h: fullH, w: fullW, r, s }, options);
  const { padTop, padBottom, padLeft, padRight } = window;
  const cut = padding === 'same' ? [0, 0] : [padTop + padBottom, padLeft + padRight];
  const h = fullH - cut[0] + extraH;
  const w = fullW - cut[1] + extraW;
  if (h < 1 || w < 1) {
    throw new ShapeError(
      `${op}: padding ${JSON.stringify(padding)} leaves an output of ${h}×${w} ${shapes}`,
      'lower the padding',
    );
  }
  return { ...window, h, w, p: height, q: width };
}
