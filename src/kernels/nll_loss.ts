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

export interface NllLossSetup {
  n: number;
  k: number;
  reduction: Reduction;
  /** The class number of rows that do not count. */
  ignoreIndex: number | undefined;
}

interface NllLossArrays {
  logProbabilities: GpuArray;
  labels: GpuArray;
  /** Factors of the classes [K]. */
  classWeights: GpuArray | undefined;
}

/**
 * −classWeights[c] · logProbabilities[n, c], c = labels[n], reduced; [N K] and i32 [N] → [] or [N].
 * A weighted mean also returns the sum of the weights.
 */
export function nllLossForward(
  runtime: Runtime,
  { logProbabilities, labels, classWeights }: NllLossArrays,
  { n, k, reduction, ignoreIndex }: NllLossSetup,
): { y: GpuArray; weightSum?: GpuArray } {
  const isWeightedMean =
    reduction === 'mean' && (classWeights !== undefined || ignoreIndex !== undefined);
  const { losses, weightsAt } = isWeightedMean
    ? allocWeighted(runtime, n)
    : { losses: runtime.alloc([n]), weightsAt: 0 };
  runtime.dispatch({
    shader: 'nll_loss_forward_naive',
    op: 'nllLoss forward',
    constants: {
      KEEP_WEIGHTS: isWeightedMean,
      WEIGHTED: classWeights !== undefined,
      HAS_IGNORED: ignoreIndex !== undefined,
    },
    bindings: {
      log_probabilities: logProbabilities,
      classes: labels,
      weights: classWeights ?? logProbabilities,
      losses,
    },
    params: { N: n, K: k, ignored: ignoreIndex ?? 0, weights_at: weightsAt },
    groups: Math.ceil(n / WORKGROUP),
    flops: n,
    bytes: 12 * n,
  });
  if (isWeightedMean) return weightedMean(runtime, losses, weightsAt, n);
  return { y: reduceLosses(runtime, losses, reduction) };
}

interface NllLossBackwardArrays {
  dy: GpuArray;
  labels: GpuArray;
  classWeights: GpuArray | undefined;
  weightSum: GpuArray | undefined;
}

/** dlogProbabilities [N K]; dy [] or [N], labels i32 [N]. */
export function nllLossBackward(
  runtime: Runtime,
  { dy, labels, classWeights, weightSum }: NllLossBackwardArrays,
  { n, k, reduction, ignoreIndex }: NllLossSetup,
): GpuArray {
  const gradient = runtime.alloc([n, k]);
  const share = weightSum ? divideScalars(runtime, dy, weightSum) : dy.retain();
  runtime.dispatch({
    shader: 'nll_loss_backward_naive',
    op: 'nllLoss backward',
    constants: {
      IS_REDUCED: reduction !== 'none',
      WEIGHTED: classWeights !== undefined,
      HAS_IGNORED: ignoreIndex !== undefined,
    },
    bindings: { classes: labels, weights: classWeights ?? share, dy: share, gradient },
    params: {
      N: n,
      K: k,
      divisor: weightSum ? 1 : lossDivisor(reduction, n),
      ignored: ignoreIndex ?? 0,
    },
    groups: Math.ceil(gradient.size / WORKGROUP),
    flops: n,
    bytes: 4 * gradient.size,
  });
  share.release();
  return gradient;
}
