import { ShapeError } from '../../errors.js';
import {
  accurateConv2dVariants,
  variantsByDirection,
  type Conv2dVariantOption,
} from '../../kernels/conv2d/choose.js';
import {
  conv2dForward,
  conv2dGradInput,
  conv2dGradWeight,
  conv2dGradients,
} from '../../kernels/conv2d/conv2d.js';
import {
  conv2dCost,
  type Conv2dGeometry,
  type Conv2dTypes,
} from '../../kernels/conv2d/geometry.js';
import { activationGradient, type FusedActivation } from '../../kernels/lib/activation.js';
import { windowGeometry, type Padding, type Pair } from '../../kernels/lib/window_geometry.js';
import { sumLeadingAxes } from '../../kernels/reduce.js';
import { expectBias, expectResidual, residualBytes } from '../conv_epilogue.js';
import type { InputMetas, OpRecord, Plan } from '../record.js';
import { expectInput, label } from '../shapes.js';

export interface Conv2dOptions {
  stride?: Pair;
  padding?: Padding;
  dilation?: Pair;
  groups?: number;
  activation?: FusedActivation;
  /** @internal For benches and tests: the kernels to use instead of the chosen ones. */
  variant?: Conv2dVariantOption;
}

export interface Conv2dPlan extends Plan {
  geometry: Conv2dGeometry;
  types: Conv2dTypes;
}

/**
 * 2-D convolution (cross-correlation), optionally with bias, residual and activation in its epilogue.
 *
 * y[n,p,q,k] = activation(bias[k] + residual[n,p,q,k] + Σ_{r,s,c} x[n, p·stride+r·dilation−pad, …, c] · w[r,s,c,k])
 *
 * x and w may be f16; sums, y and the gradients are f32.
 */
export const conv2d: OpRecord<Conv2dOptions, Conv2dPlan> = {
  name: 'conv2d',
  inputs: { x: 'N H W C', w: 'R S C K', bias: 'K?', residual: 'N P Q K?' },
  shape: conv2dPlan,
  variants: ({ geometry, types }, info) => accurateConv2dVariants(geometry, info, types),
  forward({ runtime, inputs, options, plan }) {
    const { geometry, types } = plan;
    const { forward } = variantsByDirection(options.variant, geometry, runtime.info, types);
    const { x, w, bias, residual } = inputs;
    const epilogue = { residual, activation: options.activation, variant: forward };
    return { y: conv2dForward(runtime, x!, w!, bias, geometry, epilogue) };
  },
  saves: { x: ['w'], w: ['x'], y: ['x', 'w', 'bias', 'residual'] },
  derivatives: {
    x: 'dx[n,h,w,c] = Σ_{r,s,k} dz[n,p,q,k] · w[r,s,c,k],  h = p·stride + r·dilation − pad',
    w: 'dw[r,s,c,k] = Σ_{n,p,q} x[n,h,w,c] · dz[n,p,q,k]',
    bias: 'db[k] = Σ_{n,p,q} dz[n,p,q,k],  dz = dy · activation′',
    residual: 'dresidual = dz',
  },
  addsTo: ['x'],
  backward({ runtime, dy, saved, options, plan, needs, addends }) {
    const { geometry, types } = plan;
    const dz = options.activation
      ? activationGradient(runtime, dy, saved.y, options.activation)
      : dy.retain();
    const variants = variantsByDirection(options.variant, geometry, runtime.info, types);
    const { x, w } = saved;
    const addend = addends?.x;
    const both =
      needs.x && needs.w
        ? conv2dGradients(runtime, { x, w, dy: dz }, geometry, { variants, addend })
        : undefined;
    const forInput = { variant: variants.gradInput, addend };
    const forWeight = { variant: variants.gradWeight };
    const gradients = {
      x: both?.dx ?? (needs.x ? conv2dGradInput(runtime, dz, w, geometry, forInput) : undefined),
      w: both?.dw ?? (needs.w ? conv2dGradWeight(runtime, x, dz, geometry, forWeight) : undefined),
      bias: needs.bias ? sumLeadingAxes(runtime, dz) : undefined,
      residual: needs.residual ? dz.retain() : undefined,
    };
    dz.release();
    return gradients;
  },
  flops: (_inputs, plan) => conv2dCost(plan.geometry).flops,
  bytes: (inputs, plan) =>
    conv2dCost(plan.geometry, plan.types).bytes + residualBytes(inputs, plan),
  source: 'Dumoulin & Visin, A guide to convolution arithmetic for deep learning, arXiv:1603.07285',
};

function conv2dPlan(inputs: InputMetas, options: Conv2dOptions): Conv2dPlan {
  const x = expectInput('conv2d', 'x', inputs.x, 'N H W C', ['f32', 'f16']);
  const w = expectInput('conv2d', 'w', inputs.w, 'R S C K', ['f32', 'f16']);
  const groups = options.groups ?? 1;
  const [n, h, width, c] = x.shape as [number, number, number, number];
  const [r, s, channels, k] = w.shape as [number, number, number, number];
  const shapes = `(x ${label(x, 'N H W C')}, w ${label(w, 'R S C K')}, groups=${groups})`;
  if ([...x.shape, ...w.shape].includes(0)) {
    throw new ShapeError(`conv2d: expected no dimension of 0 ${shapes}`);
  }
  if (!Number.isInteger(groups) || groups < 1 || c % groups !== 0 || k % groups !== 0) {
    throw new ShapeError(
      `conv2d: groups must be a whole number that divides C=${c} and K=${k}, got ${groups} ${shapes}`,
    );
  }
  if (channels * groups !== c) {
    throw new ShapeError(
      `conv2d: w has ${channels} input channels${groups > 1 ? ' a group' : ''} but x has ${groups > 1 ? `${c / groups} a group` : c} ${shapes}`,
      "check the previous layer's outChannels",
    );
  }
  expectBias('conv2d', inputs.bias, k);
  const window = windowGeometry('conv2d', { h, w: width, r, s }, options);
  const geometry = { n, h, w: width, c, r, s, k, groups, ...window };
  expectResidual('conv2d', inputs.residual, geometry, shapes);
  return {
    shape: [n, window.p, window.q, k],
    dtype: 'f32',
    geometry,
    types: { x: x.dtype, w: w.dtype },
  };
}
