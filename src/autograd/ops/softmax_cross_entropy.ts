import { ShapeError } from '../../errors.js';
import {
  softmaxCrossEntropyBackward,
  softmaxCrossEntropyCost,
  softmaxCrossEntropyForward,
  softmaxCrossEntropyVariants,
  type SoftmaxCrossEntropySetup,
  type SoftmaxCrossEntropyVariant,
} from '../../kernels/softmax_cross_entropy.js';
import type { Reduction } from '../../kernels/lib/loss_reduction.js';
import { expectClassWeights, expectIgnoreIndex, expectReduction, lossShape } from '../losses.js';
import type { InputMetas, OpRecord, Plan } from '../record.js';
import { expectDtype, expectInput, label, withShapes } from '../shapes.js';

export interface SoftmaxCrossEntropyOptions {
  /** Default 'mean'. */
  reduction?: Reduction;
  /** Share of each label that is spread evenly over all classes, in [0, 1]. Default 0. */
  labelSmoothing?: number;
  /** The class number of rows that count neither in the loss nor in a mean; default: none. */
  ignoreIndex?: number;
  /** @internal For benches and tests: the kernel to use instead of the chosen one. */
  variant?: SoftmaxCrossEntropyVariant;
}

export interface SoftmaxCrossEntropyPlan extends Plan {
  setup: SoftmaxCrossEntropySetup;
}

/**
 * loss[n] = −Σ_k t[n,k] · log softmax(logits)[n,k],
 * t = classWeights[k] · ((1 − labelSmoothing) · labels + labelSmoothing / K).
 */
export const softmaxCrossEntropy: OpRecord<SoftmaxCrossEntropyOptions, SoftmaxCrossEntropyPlan> = {
  name: 'softmaxCrossEntropy',
  variants: (plan) => softmaxCrossEntropyVariants(plan.setup.k),
  inputs: { logits: 'N K', labels: 'N | N K', classWeights: 'K?' },
  shape: softmaxCrossEntropyPlan,
  forward({ runtime, inputs, plan, keepsExtras }) {
    const { logits, labels, classWeights } = inputs;
    const arrays = { logits: logits!, labels: labels!, classWeights };
    const { y, ...extras } = softmaxCrossEntropyForward(runtime, arrays, plan.setup, keepsExtras);
    return { y, extras };
  },
  saves: {
    logits: ['logits', 'labels'],
    labels: ['logits'],
    classWeights: ['logits', 'labels'],
    statistics: ['logits', 'labels'],
    weightSum: ['logits'],
  },
  derivatives: {
    logits: 'dlogits[n,k] = dy[n] · (softmax(logits)[n,k] · Σ_j t[n,j] − t[n,k])',
    labels:
      'dlabels[n,k] = −dy[n] · classWeights[k] · (1 − labelSmoothing) · log softmax(logits)[n,k]',
  },
  backward({ runtime, dy, saved, plan, needs }) {
    const { logits, labels, statistics, classWeights, weightSum } = saved;
    const arrays = { dy, logits, labels, statistics, classWeights, weightSum };
    const run = (ofLabels: boolean) =>
      softmaxCrossEntropyBackward(runtime, arrays, plan.setup, ofLabels);
    return {
      logits: needs.logits ? run(false) : undefined,
      labels: needs.labels ? run(true) : undefined,
    };
  },
  flops: (_inputs, plan) => softmaxCrossEntropyCost(plan.setup).flops,
  bytes: (_inputs, plan) => softmaxCrossEntropyCost(plan.setup).bytes,
  source:
    'Goodfellow, Bengio & Courville, Deep Learning (2016), section 6.2.2.3; smoothing: Szegedy et al., arXiv:1512.00567, section 7; weights: King & Zeng, Logistic Regression in Rare Events Data (2001), section 4.2',
};

function softmaxCrossEntropyPlan(
  inputs: InputMetas,
  options: SoftmaxCrossEntropyOptions,
): SoftmaxCrossEntropyPlan {
  const op = 'softmaxCrossEntropy';
  const isDense = inputs.labels?.shape.length === 2;
  const shapes = `logits ${label(inputs.logits, 'N K')}, labels ${label(inputs.labels, isDense ? 'N K' : 'N')}`;
  return withShapes(shapes, () => {
    const logits = expectInput(op, 'logits', inputs.logits, 'N K');
    const { labels } = inputs;
    const [n, k] = logits.shape as [number, number];
    const wanted = isDense ? [n, k] : [n];
    if (!labels || labels.shape.join() !== wanted.join()) {
      throw new ShapeError(
        `${op}: labels must be [N=${n}] class numbers or [N=${n} K=${k}] probabilities`,
      );
    }
    expectDtype(op, 'labels', labels, isDense ? ['f32'] : ['i32', 'u32']);
    const reduction = expectReduction(op, options.reduction);
    expectClassWeights(op, inputs.classWeights, k);
    const ignoreIndex = expectIgnoreIndex(op, options.ignoreIndex);
    if (isDense && ignoreIndex !== undefined) {
      throw new ShapeError(`${op}: ignoreIndex needs labels that are class numbers [N=${n}]`);
    }
    const { labelSmoothing = 0, variant } = options;
    if (!(labelSmoothing >= 0 && labelSmoothing <= 1)) {
      throw new ShapeError(`${op}: labelSmoothing must lie in [0, 1], got ${labelSmoothing}`);
    }
    const setup = { n, k, isDense, labelSmoothing, ignoreIndex, reduction, variant };
    return { shape: lossShape(reduction, [n]), dtype: 'f32', setup };
  });
}
