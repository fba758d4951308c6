import type { DeviceInfo } from '../gpu/adapter.js';
import type { GpuArray } from '../gpu/array.js';
import type { Runtime } from '../gpu/runtime.js';
import { lossDivisor, reduceLosses, type Reduction } from './loss_reduction.js';

const WORKGROUP = 64;

/** 'row' is a forward kernel, 'vec4' a gradient kernel; the other direction runs as chosen. */
export type SoftmaxCrossEntropyVariant = 'naive' | 'row' | 'vec4';

export interface SoftmaxCrossEntropySetup {
  n: number;
  k: number;
  /** True where labels are probabilities [N K], false where they are class numbers [N]. */
  isDense: boolean;
  labelSmoothing: number;
  reduction: Reduction;
  variant?: SoftmaxCrossEntropyVariant | undefined;
}

/** The kernels that can compute K classes. */
export function softmaxCrossEntropyVariants(k: number): SoftmaxCrossEntropyVariant[] {
  return k % 4 === 0 ? ['naive', 'row', 'vec4'] : ['naive', 'row'];
}

/**
 * Cross-entropy of softmax(logits); logits [N K], labels [N] or [N K] → [] or [N]. With
 * `keepsStatistics` also what the gradient needs of each row, f32 [3 N].
 */
export function softmaxCrossEntropyForward(
  runtime: Runtime,
  logits: GpuArray,
  labels: GpuArray,
  setup: SoftmaxCrossEntropySetup,
  keepsStatistics: boolean,
): { y: GpuArray; statistics?: GpuArray } {
  const { n, k, isDense, labelSmoothing } = setup;
  const variant = chooseForward(setup, runtime.info);
  const losses = runtime.alloc([n]);
  const statistics = keepsStatistics ? runtime.alloc([3, n]) : undefined;
  runtime.dispatch({
    shader: `softmax_cross_entropy_forward_${variant}`,
    op: 'softmaxCrossEntropy forward',
    constants: {
      DENSE: isDense,
      KEEP_STATISTICS: keepsStatistics,
      IS_SMOOTHED: labelSmoothing > 0,
    },
    bindings: {
      logits,
      ...labelBindings(labels),
      losses,
      statistics: statistics ?? runtime.placeholder,
    },
    params: { N: n, K: k, smoothing: labelSmoothing },
    groups: variant === 'row' ? n : Math.ceil(n / WORKGROUP),
    ...softmaxCrossEntropyCost(setup),
  });
  const y = reduceLosses(runtime, losses, setup.reduction);
  return statistics ? { y, statistics } : { y };
}

/** dlogits [N K], or with `ofLabels` the gradient of probabilities given as labels [N K]. */
export function softmaxCrossEntropyBackward(
  runtime: Runtime,
  arrays: { dy: GpuArray; logits: GpuArray; labels: GpuArray | undefined; statistics: GpuArray },
  setup: SoftmaxCrossEntropySetup,
  ofLabels: boolean,
): GpuArray {
  const { n, k, isDense, labelSmoothing, reduction } = setup;
  const { dy, logits, labels, statistics } = arrays;
  const isVec4 = setup.variant !== 'naive' && k % 4 === 0;
  const gradient = runtime.alloc([n, k]);
  runtime.dispatch({
    shader: `softmax_cross_entropy_backward_${isVec4 ? 'vec4' : 'naive'}`,
    op: `softmaxCrossEntropy ${ofLabels ? 'grad-labels' : 'grad-logits'}`,
    constants: { DENSE: isDense, IS_REDUCED: reduction !== 'none', OF_LABELS: ofLabels },
    bindings: {
      logits,
      ...labelBindings(labels ?? logits),
      statistics,
      dy,
      gradient,
    },
    params: { N: n, K: k, smoothing: labelSmoothing, divisor: lossDivisor(reduction, n) },
    groups: Math.ceil((n * k) / (isVec4 ? 4 : 1) / WORKGROUP),
    flops: 5 * n * k,
    bytes: 8 * n * k,
  });
  return gradient;
}

function chooseForward(setup: SoftmaxCrossEntropySetup, info: DeviceInfo): 'naive' | 'row' {
  if (setup.variant === 'naive' || setup.variant === 'row') return setup.variant;
  // Barriers cost a software adapter more than scattered loads do.
  if (info.isSoftware) return 'naive';
  // From here on a row fills a workgroup; below, most of its invocations would idle.
  return setup.k >= WORKGROUP ? 'row' : 'naive';
}

/** An exponential, a subtraction and an addition for each logit, a logarithm for each row. */
export function softmaxCrossEntropyCost({ n, k, isDense }: SoftmaxCrossEntropySetup) {
  return { flops: n * (4 * k + 1), bytes: 4 * (n * k + (isDense ? n * k : n) + n) };
}

/** The labels as either kind; only one of the two is read, and none where only dlabels is wanted. */
function labelBindings(labels: GpuArray) {
  return { classes: labels, targets: labels };
}
