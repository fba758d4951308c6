import { ShapeError } from '../../errors.js';
import { activationGradient, type FusedActivation } from '../../kernels/lib/activation.js';
import { conv2dCost, type Conv2dGeometry } from '../../kernels/conv2d/geometry.js';
import { windowGeometry, type Padding, type Pair } from '../../kernels/lib/window_geometry.js';
import {
  depthwiseConv2dForward,
  depthwiseConv2dGradInput,
  depthwiseConv2dGradWeight,
} from '../../kernels/depthwise_conv2d/depthwise_conv2d.js';
import {
  depthwiseUnsupportedReason,
  supportedDepthwiseVariants,
  type DepthwiseVariant,
} from '../../kernels/depthwise_conv2d/variants.js';
import { sumLeadingAxes } from '../../kernels/reduce.js';
import { expectBias, expectResidual, residualBytes } from '../conv_epilogue.js';
import type { InputMetas, OpRecord, Plan } from '../record.js';
import { expectInput, label } from '../shapes.js';

export interface DepthwiseConv2dOptions {
  stride?: Pair;
  padding?: Padding;
  dilation?: Pair;
  activation?: FusedActivation;
  /** @internal For benches and tests: the kernel to use instead of the chosen one, in directions it fits. */
  variant?: DepthwiseVariant;
}

export interface DepthwiseConv2dPlan extends Plan {
  /** Geometry as a grouped convolution with groups = C. */
  geometry: Conv2dGeometry;
}

/**
 * Depthwise convolution: every input channel is convolved with M filters of its own.
 *
 * With k = c·M + m, y[n,p,q,k] = activation(bias[k] + residual[n,p,q,k] + Σ_{r,s} x[n, p·stride+r·dilation−pad, …, c] · w[r,s,c,m])
 */
export const depthwiseConv2d: OpRecord<DepthwiseConv2dOptions, DepthwiseConv2dPlan> = {
  name: 'depthwiseConv2d',
  inputs: { x: 'N H W C', w: 'R S C M', bias: 'C·M?', residual: 'N P Q C·M?' },
  shape: depthwisePlan,
  variants: ({ geometry }) => supportedDepthwiseVariants({ direction: 'forward', geometry }),
  forward({ runtime, inputs, options, plan }) {
    const { x, w, bias, residual } = inputs;
    const { activation, variant } = options;
    const epilogue = { residual, activation, variant };
    return { y: depthwiseConv2dForward(runtime, x!, w!, bias, plan.geometry, epilogue) };
  },
  saves: { x: ['w'], w: ['x'], y: ['x', 'w', 'bias', 'residual'] },
  derivatives: {
    x: 'dx[n,h,w,c] = Σ_{r,s,m} dz[n,p,q,c·M+m] · w[r,s,c,m],  h = p·stride + r·dilation − pad',
    w: 'dw[r,s,c,m] = Σ_{n,p,q} x[n,h,w,c] · dz[n,p,q,c·M+m]',
    bias: 'db[k] = Σ_{n,p,q} dz[n,p,q,k],  dz = dy · activation′',
    residual: 'dresidual = dz',
  },
  backward({ runtime, dy, saved, options, plan, needs }) {
    const { geometry } = plan;
    const { variant } = options;
    const forWeight = { direction: 'gradWeight', geometry } as const;
    const fits = variant && depthwiseUnsupportedReason(variant, forWeight) === null;
    const dz = options.activation
      ? activationGradient(runtime, dy, saved.y, options.activation)
      : dy.retain();
    const { x, w } = saved;
    const gradients = {
      x: needs.x ? depthwiseConv2dGradInput(runtime, dz, w, geometry, { variant }) : undefined,
      w: needs.w
        ? depthwiseConv2dGradWeight(runtime, x, dz, geometry, {
            variant: fits ? variant : undefined,
          })
        : undefined,
      bias: needs.bias ? sumLeadingAxes(runtime, dz) : undefined,
      residual: needs.residual ? dz.retain() : undefined,
    };
    dz.release();
    return gradients;
  },
  flops: (_inputs, plan) => conv2dCost(plan.geometry).flops,
  bytes: (inputs, plan) => conv2dCost(plan.geometry).bytes + residualBytes(inputs, plan),
  source: 'Howard et al., MobileNets, arXiv:1704.04861, section 3.1',
};

function depthwisePlan(inputs: InputMetas, options: DepthwiseConv2dOptions): DepthwiseConv2dPlan {
  const op = 'depthwiseConv2d';
  const x = expectInput(op, 'x', inputs.x, 'N H W C');
  const w = expectInput(op, 'w', inputs.w, 'R S C M');
  const [n, h, width, c] = x.shape as [number, number, number, number];
  const [r, s, channels, m] = w.shape as [number, number, number, number];
  const shapes = `(x ${label(x, 'N H W C')}, w ${label(w, 'R S C M')})`;
  if ([...x.shape, ...w.shape].includes(0)) {
    throw new ShapeError(`${op}: expected no dimension of 0 ${shapes}`);
  }
  if (channels !== c) {
    throw new ShapeError(
      `${op}: w has filters for ${channels} channels but x has ${c} ${shapes}`,
      'w is [R, S, C, M]: M filters for each input channel',
    );
  }
  expectBias(op, inputs.bias, c * m);
  const window = windowGeometry(op, { h, w: width, r, s }, options);
  const geometry = { n, h, w: width, c, r, s, k: c * m, groups: c, ...window };
  expectResidual(op, inputs.residual, geometry, shapes);
  return { shape: [n, window.p, window.q, c * m], dtype: 'f32', geometry };
}
