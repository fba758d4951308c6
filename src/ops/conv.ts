import { conv2d as conv2dRecord, type Conv2dOptions } from '../autograd/ops/conv2d.js';
import { isFused, type FusedActivation } from '../kernels/activation.js';
import { applyOp, type Tensor } from '../tensor.js';
import { activate, type Activation } from './elementwise.js';

/** Options of a convolution as people write them: any activation, and the bias among them. */
export type WithEpilogue<Options> = Omit<Options, 'activation'> & {
  bias?: Tensor | undefined;
  activation?: Activation | undefined;
};

/**
 * Splits an activation that kernels fuse from one that follows as an op of its own (those whose
 * derivative needs the value before the activation).
 */
export function withActivation<Options>(
  options: { activation?: Activation | undefined } & Options,
  run: (options: Omit<Options, 'activation'> & { activation?: FusedActivation }) => Tensor,
): Tensor {
  const { activation, ...rest } = options;
  if (isFused(activation)) return run({ ...rest, activation } as never);
  const y = run(rest as never);
  return activation ? activate(y, activation) : y;
}

/**
 * 2-D convolution of images with filters.
 *
 * y[n,p,q,k] = activation(bias[k] + Σ_{r,s,c} x[n, p·stride+r·dilation−pad, …, c] · w[r,s,c,k])
 *
 * **Shapes** x [N H W C], w [R S C/groups K], bias [K] → [N P Q K]; 'same' gives
 * P = ceil(H / stride), else P = floor((H + pad − (R−1)·dilation − 1) / stride) + 1.
 * **Gradients** dx: dy convolved with the flipped filter; dw: x correlated with dy; dbias: Σ dy.
 * **Cost** 2·N·P·Q·K·R·S·C/groups FLOP. **Saves** x and w; y where an activation is fused.
 * **Errors** ShapeError where channels, groups, bias or the kernel do not fit.
 * **Source** arXiv:1603.07285.
 *
 * @example
 * const x = device.ones([1, 3, 3, 1]);
 * const w = device.ones([2, 2, 1, 1]);
 * await ops.conv2d(x, w).array(); // [[[[4],[4]],[[4],[4]]]]
 */
export function conv2d(x: Tensor, w: Tensor, options: WithEpilogue<Conv2dOptions> = {}): Tensor {
  return withActivation(options, ({ bias, ...rest }) =>
    applyOp(conv2dRecord, { x, w, bias }, rest as Conv2dOptions),
  );
}
