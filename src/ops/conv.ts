import { conv2d as conv2dRecord, type Conv2dOptions } from '../autograd/ops/conv2d.js';
import {
  conv2dTranspose as conv2dTransposeRecord,
  type Conv2dTransposeOptions,
} from '../autograd/ops/conv2d_transpose.js';
import {
  depthwiseConv2d as depthwiseConv2dRecord,
  type DepthwiseConv2dOptions,
} from '../autograd/ops/depthwise_conv2d.js';
import { isFused, type FusedActivation } from '../kernels/lib/activation.js';
import { applyOp, type Tensor } from '../tensor.js';
import { activate, add, type Activation } from './elementwise.js';
import { asOperand } from './mixed_precision.js';

/** Options of a convolution with its bias and any activation. */
export type WithEpilogue<Options> = Omit<Options, 'activation'> & {
  bias?: Tensor | undefined;
  activation?: Activation | undefined;
};

/**
 * Splits an activation that kernels fuse from one that runs as a separate op: one whose derivative
 * needs the value before the activation, and any on a device without fusion.
 */
export function withActivation<Options>(
  x: Tensor,
  options: { activation?: Activation | undefined } & Options,
  run: (options: Omit<Options, 'activation'> & { activation?: FusedActivation }) => Tensor,
): Tensor {
  const { activation, ...rest } = options;
  if (isFused(activation) && x.runtime.fusesOps) return run({ ...rest, activation });
  const y = run(rest);
  return activation ? activate(y, activation) : y;
}

/** Adds a bias in the kernel of `run`, or as a separate op on a device without fusion. */
export function withBias(
  x: Tensor,
  bias: Tensor | undefined,
  run: (bias: Tensor | undefined) => Tensor,
): Tensor {
  if (!bias || x.runtime.fusesOps) return run(bias);
  const y = run(undefined);
  // For any other shape the op throws its own error.
  return bias.shape.join() === String(y.shape.at(-1)) ? add(y, bias) : run(bias);
}

/** A residual of the output's shape. */
export interface WithResidual {
  /** Added before the activation. */
  residual?: Tensor | undefined;
}

/** Adds bias and residual in the kernel of `run`, or as separate ops on a device without fusion. */
function withSummands(
  x: Tensor,
  { bias: givenBias, residual }: { bias: Tensor | undefined; residual: Tensor | undefined },
  run: (summands: { bias: Tensor | undefined; residual: Tensor | undefined }) => Tensor,
): Tensor {
  if (!residual || x.runtime.fusesOps) {
    return withBias(x, givenBias, (bias) => run({ bias, residual }));
  }
  const y = withBias(x, givenBias, (bias) => run({ bias, residual: undefined }));
  // For any other shape the op throws its own error.
  return residual.shape.join() === y.shape.join()
    ? add(y, residual)
    : run({ bias: givenBias, residual });
}

/**
 * 2-D convolution of images with filters.
 *
 * y[n,p,q,k] = activation(bias[k] + residual[n,p,q,k] + Σ_{r,s,c} x[n, p·stride+r·dilation−pad, …, c] · w[r,s,c,k])
 *
 * **Shapes** x [N H W C], w [R S C/groups K], bias [K], residual [N P Q K] → [N P Q K]; 'same' gives
 * P = ceil(H / stride), else P = floor((H + pad − (R−1)·dilation − 1) / stride) + 1.
 * **Gradients** with dz = dy · activation′: dx: dz convolved with the flipped filter; dw: x correlated
 * with dz; dbias: Σ dz; dresidual = dz.
 * **Cost** 2·N·P·Q·K·R·S·C/groups FLOP. **Saves** x and w; y where an activation is fused.
 * **Errors** ShapeError if channels, groups, bias, residual or the kernel do not fit.
 * **Source** arXiv:1603.07285.
 *
 * @example
 * const x = device.ones([1, 3, 3, 1]);
 * const w = device.ones([2, 2, 1, 1]);
 * await ops.conv2d(x, w).array(); // [[[[4],[4]],[[4],[4]]]]
 */
export function conv2d(
  x: Tensor,
  w: Tensor,
  options: WithEpilogue<Conv2dOptions> & WithResidual = {},
): Tensor {
  return withActivation(x, options, ({ bias, residual, ...rest }) =>
    withSummands(x, { bias, residual }, (summands) =>
      applyOp(conv2dRecord, { x: asOperand(x), w: asOperand(w), ...summands }, rest),
    ),
  );
}

/**
 * Depthwise convolution: every channel has its own filters, and channels are not mixed.
 *
 * With k = c·M + m, y[n,p,q,k] = activation(bias[k] + residual[n,p,q,k] + Σ_{r,s} x[n, p·stride+r·dilation−pad, …, c] · w[r,s,c,m])
 *
 * **Shapes** x [N H W C], w [R S C M], bias [C·M], residual [N P Q C·M] → [N P Q C·M]; P and Q as in `conv2d`.
 * **Gradients** with dz = dy · activation′: dx: dz convolved with the flipped filter, summed over m;
 * dw: x correlated with dz; dbias: Σ dz; dresidual = dz. **Cost** 2·N·P·Q·C·M·R·S FLOP. **Saves** x and
 * w; y where an activation is fused. **Errors** ShapeError if channels, bias, residual or the kernel do
 * not fit. **Source** arXiv:1704.04861, section 3.1.
 *
 * @example
 * const x = device.tensor([[[[1, 2], [3, 4]], [[5, 6], [7, 8]]]]);
 * const w = device.ones([2, 2, 2, 1]);
 * await ops.depthwiseConv2d(x, w).array(); // [[[[16, 20]]]]
 */
export function depthwiseConv2d(
  x: Tensor,
  w: Tensor,
  options: WithEpilogue<DepthwiseConv2dOptions> & WithResidual = {},
): Tensor {
  return withActivation(x, options, ({ bias, residual, ...rest }) =>
    withSummands(x, { bias, residual }, (summands) =>
      applyOp(depthwiseConv2dRecord, { x, w, ...summands }, rest),
    ),
  );
}

/**
 * Transposed convolution: stamps the filter, scaled by each input pixel, onto a larger image.
 *
 * y[n, h·stride + r·dilation − pad, …, k] += Σ_c x[n,h,w,c] · w[r,s,k,c], then bias and activation
 *
 * With `groups`, each group of channels is convolved separately: c runs over the group of k, and w
 * counts k within the group.
 *
 * **Shapes** x [N H W C], w [R S K/groups C], bias [K] → [N P Q K]; 'same' gives P = H·stride, else
 * P = (H − 1)·stride + (R − 1)·dilation + 1 − padding; `outputPadding` adds to the bottom and right.
 * **Gradients** dx: dy convolved with w; dw: dy correlated with x; dbias: Σ dy.
 * **Cost** 2·N·H·W·C·R·S·K / groups FLOP. **Saves** x and w; y where an activation is fused.
 * **Errors** ShapeError if channels, groups or bias do not fit, or padding leaves no output.
 * **Source** arXiv:1603.07285, section 4.
 *
 * @example
 * const x = device.tensor([[[[1], [2]]]]);
 * const w = device.ones([2, 2, 1, 1]);
 * await ops.conv2dTranspose(x, w, { stride: 2 }).array(); // [[[[1],[1],[2],[2]],[[1],[1],[2],[2]]]]
 */
export function conv2dTranspose(
  x: Tensor,
  w: Tensor,
  options: WithEpilogue<Conv2dTransposeOptions> = {},
): Tensor {
  return withActivation(x, options, ({ bias: given, ...rest }) =>
    withBias(x, given, (bias) => applyOp(conv2dTransposeRecord, { x, w, bias }, rest)),
  );
}
