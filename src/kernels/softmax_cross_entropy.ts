import type { DeviceInfo } from '../gpu/adapter.js';
import type { GpuArray } from '../gpu/array.js';
import type { Runtime } from '../gpu/runtime.js';
import {
  divideScalars,
  lossDivisor,
  reduceLosses,
  allocWeighted,
  weightedMean,
  type Reduction,
} from './lib/loss_reduction.js';

const WORKGROUP = 64;

/** 'row' is a forward kernel, 'vec4' a gradient kernel; the other direction runs its default. */
export type SoftmaxCrossEntropyVariant = 'naive' | 'row' | 'vec4';

export interface SoftmaxCrossEntropySetup {
  n: number;
  k: number;
  /** True where labels are probabilities [N K], false where they are class numbers [N]. */
  isDense: boolean;
  labelSmoothing: number;
  /** The class number of rows that do not count. */
  ignoreIndex: number | undefined;
  reduction: Reduction;
  variant?: SoftmaxCrossEntropyVariant | undefined;
}

/** The kernels that can compute K classes. */
export function softmaxCrossEntropyVariants(k: number): SoftmaxCrossEntropyVariant[] {
  return k % 4 === 0 ? ['naive', 'row', 'vec4'] : ['naive', 'row'];
}

interface ForwardArrays {
  logits: GpuArray;
  labels: GpuArray;
  /** Factors of the classes [K]. */
  classWeights: GpuArray | undefined;
}

/**
 * Cross-entropy of softmax(logits); logits [N K], labels [N] or [N K] → [] or [N]. With
 * `keepsStatistics` also what the gradient needs of each row, f32 [3 N]. A weighted mean also returns
 * the sum of the weights.
 */
export function softmaxCrossEntropyForward(
  runtime: Runtime,
  { logits, labels, classWeights }: ForwardArrays,
  setup: SoftmaxCrossEntropySetup,
  keepsStatistics: boolean,
): { y: GpuArray; statistics?: GpuArray; weightSum?: GpuArray } {
  const { n, k, isDense, labelSmoothing, ignoreIndex, reduction } = setup;
  const variant = chooseForward(setup, runtime.info);
  const statistics = keepsStatistics ? runtime.alloc([3, n]) : undefined;
  const isWeightedMean =
    reduction === 'mean' && !isDense && (classWeights !== undefined || ignoreIndex !== undefined);
  const { losses, weightsAt } = isWeightedMean
    ? allocWeighted(runtime, n)
    : { losses: runtime.alloc([n]), weightsAt: 0 };
  runtime.dispatch({
    shader: `softmax_cross_entropy_forward_${variant}`,
    op: 'softmaxCrossEntropy forward',
    constants: {
      DENSE: isDense,
      KEEP_STATISTICS: keepsStatistics,
      KEEP_WEIGHTS: isWeightedMean,
      IS_SMOOTHED: labelSmoothing > 0,
      WEIGHTED: classWeights !== undefined,
      HAS_IGNORED: ignoreIndex !== undefined,
    },
    bindings: {
      logits,
      ...labelBindings(labels),
      weights: classWeights ?? logits,
      losses,
      statistics: statistics ?? runtime.placeholder,
    },
    params: {
      N: n,
      K: k,
      smoothing: labelSmoothing,
      ignored: ignoreIndex ?? 0,
      weights_at: weightsAt,
    },
    groups: variant === 'row' ? n : Math.ceil(n / WORKGROUP),
    ...softmaxCrossEntropyCost(setup),
  });
  const reduced = isWeightedMean
    ? weightedMean(runtime, losses, weightsAt, n)
    : { y: reduceLosses(runtime, losses, reduction) };
  return statistics ? { ...reduced, statistics } : reduced;
}

/** Arrays that backward reads. */
interface BackwardArrays {
  dy: GpuArray;
  logits: GpuArray;
  labels: GpuArray | undefined;
  statistics: GpuArray;
  classWeights: GpuArray | undefined;
  weightSum: GpuArray | undefined;
}

/** dlogits [N K], or with `ofLabels` the gradient of probabilities given as labels [N K]. */
export function softmaxCrossEntropyBackward(
  runtime: Runtime,
  { dy, logits, labels, statistics, classWeights, weightSum }: BackwardArrays,
  setup: SoftmaxCrossEntropySetup,
  ofLabels: boolean,
): GpuArray {
  const { n, k, isDense, labelSmoothing, ignoreIndex, reduction } = setup;
  const isVec4 = setup.variant !== 'naive' && k % 4 === 0;
  const gradient = runtime.alloc([n, k]);
  const share = weightSum ? divideScalars(runtime, dy, weightSum) : dy.retain();
  runtime.dispatch({
    shader: `softmax_cross_entropy_backward_${isVec4 ? 'vec4' : 'naive'}`,
    op: `softmaxCrossEntropy ${ofLabels ? 'grad-labels' : 'grad-logits'}`,
    constants: {
      DENSE: isDense,
      IS_REDUCED: reduction !== 'none',
      OF_LABELS: ofLabels,
      WEIGHTED: classWeights !== undefined,
      HAS_IGNORED: ignoreIndex !== undefined,
    },
    bindings: {
      logits,
      ...labelBindings(labels ?? logits),
      weights: classWeights ?? logits,
      statistics,
      dy: share,
      gradient,
    },
    params: {
      N: n,
      K: k,
      smoothing: labelSmoothing,
      divisor: weightSum ? 1 : lossDivisor(reduction, n),
      ignored: ignoreIndex ?? 0,
    },
    groups: Math.ceil((n * k) / (isVec4 ? 4 : 1) / WORKGROUP),
    flops: 5 * n * k,
    bytes: 8 * n * k,
  });
  share.release();
  return gradient;
}

function chooseForward(setup: SoftmaxCrossEntropySetup, info: DeviceInfo): 'naive' | 'row' {
  if (setup.variant === 'naive' || setup.variant === 'row') return setup.variant;
  // On a software adapter barriers cost more than scattered loads.
  if (info.isSoftware) return 'naive';
  // A shorter row would leave most of a workgroup idle.
  return setup.k >= WORKGROUP ? 'row' : 'naive';
}

/** An exponential, a subtraction and an addition for each logit, a logarithm for each row. */
export function softmaxCrossEntropyCost({ n, k, isDense }: SoftmaxCrossEntropySetup) {
  return { flops: n * (4 * k + 1), bytes: 4 * (n * k + (isDense ? n * k : n) + n) };
}

/** Binds the labels as classes and as targets; the shader reads at most one of the two. */
function labelBindings(labels: GpuArray) {
  return { classes: labels, targets: labels };
}
