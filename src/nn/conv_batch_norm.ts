import { isGradFree, isWatchingOps, withOrigin } from '../autograd/recording.js';
import { foldBatchNorm } from '../kernels/batch_norm/fold.js';
import { isFused } from '../kernels/lib/activation.js';
import { pairOf } from '../kernels/lib/window_geometry.js';
import { operandTypeNow } from '../ops/mixed_precision.js';
import { runInScope, Tensor } from '../tensor.js';
import { Conv2d, DepthwiseConv2d } from './conv.js';
import { isWatchingModules, type Module } from './module.js';
import { BatchNorm2d, DEFAULT_EPSILON } from './normalization.js';

export type ConvLayer = Conv2d | DepthwiseConv2d;

/**
 * norm(conv(x), residual): a convolution followed by a batch norm.
 *
 * In evaluation mode inside noGrad they run as one convolution: the batch norm is folded into filter
 * and bias, and residual and activation run in the convolution's epilogue. Each forward pass, and each
 * replay of a captured one, folds the current weights and statistics. Folding costs a pass over the
 * filter and saves one over the outputs, so it is skipped if the filter is larger, as for a single
 * small image.
 *
 * `residual` returns the tensor to add before the activation; it is called once.
 */
export function convBatchNorm(
  conv: ConvLayer,
  norm: BatchNorm2d,
  x: Tensor,
  residual?: () => Tensor,
): Tensor {
  if (!foldsBatchNorm(conv, norm, x)) {
    const z = convolveForNorm(conv, norm, x);
    return residual ? norm.call(z, residual()) : norm.call(z);
  }
  const skipped = residual?.();
  return runInScope(() =>
    withOrigin(conv.path ?? norm.path ?? '', () => {
      const { runtime } = x;
      const mark = { phase: 'forward', module: conv.path } as const;
      const folded = runtime.marked(mark, () =>
        foldBatchNorm(runtime, conv.weight.gpuArray, conv.bias?.gpuArray, {
          ...{ gamma: norm.gamma?.gpuArray, beta: norm.beta?.gpuArray },
          runningMean: norm.runningMean.gpuArray,
          runningVariance: norm.runningVariance.gpuArray,
          epsilon: norm.options.epsilon ?? DEFAULT_EPSILON,
        }),
      );
      const [weight, bias] = [folded.w, folded.bias].map((array) => Tensor.own(runtime, array));
      const { activation } = norm.options;
      return conv.convolve(x, weight, { bias, residual: skipped, activation });
    }),
  );
}

/**
 * The convolution in front of a batch norm. While training, the norm subtracts the mean and the
 * bias with it, so the bias has no gradient (Ioffe & Szegedy, arXiv:1502.03167, section 3.2). Detached,
 * it costs no sum over dy. Watchers see the original layer.
 */
export function convolveForNorm(conv: ConvLayer, norm: BatchNorm2d, x: Tensor): Tensor {
  const { bias, options } = conv;
  const isWatched = isWatchingOps() || isWatchingModules();
  if (!bias || !norm.isTraining || options.activation !== undefined || isWatched) {
    return conv.call(x);
  }
  return withOrigin(conv.path ?? '', () => conv.convolve(x, conv.weight, { bias: bias.detach() }));
}

/** Whether a convolution can apply the batch norm's activation before it writes. */
function endsInEpilogue({ options: { activation } }: BatchNorm2d): boolean {
  return activation === undefined || isFused(activation);
}

/** Compares the outputs per channel, which folding saves, with the weights per channel, which it costs. */
function paysFolding(conv: ConvLayer, x: Tensor): boolean {
  const [n, h, w] = x.shape;
  const [strideH, strideW] = pairOf('conv2d', 'stride', conv.options.stride ?? 1);
  const outputs = n * Math.ceil(h / strideH) * Math.ceil(w / strideW);
  return outputs > conv.weight.size / conv.outChannels;
}

/**
 * Whether `convBatchNorm` folds. It does not if the layers are watched, since one would be missing; if
 * the convolution has its own activation; before silu, which batch norm fuses and convolutions do not;
 * or with f16 operands, where a folded filter may lose digits that the batch norm keeps.
 */
export function foldsBatchNorm(conv: ConvLayer, norm: BatchNorm2d, x: Tensor): boolean {
  return (
    isGradFree() &&
    !norm.isTraining &&
    x.runtime.fusesOps &&
    conv.options.activation === undefined &&
    endsInEpilogue(norm) &&
    // Otherwise the batch norm throws the error.
    norm.options.channels === conv.outChannels &&
    operandTypeNow() === 'f32' &&
    !isWatchingOps() &&
    !isWatchingModules() &&
    paysFolding(conv, x)
  );
}

/* Exact classes only: a subclass may compute something else. */

export function isConvLayer(layer: Module | undefined): layer is ConvLayer {
  return layer?.constructor === Conv2d || layer?.constructor === DepthwiseConv2d;
}

export function isBatchNorm(layer: Module | undefined): layer is BatchNorm2d {
  return layer?.constructor === BatchNorm2d;
}
