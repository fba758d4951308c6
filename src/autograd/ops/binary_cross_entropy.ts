import { sizeOf } from '../../gpu/array.js';
import {
  binaryCrossEntropyBackward,
  binaryCrossEntropyForward,
  binaryCrossEntropyVariants,
  type BinaryCrossEntropyVariant,
} from '../../kernels/binary_cross_entropy.js';
import type { Reduction } from '../../kernels/lib/loss_reduction.js';
import { expectAlike, expectReduction, lossShape } from '../losses.js';
import type { OpRecord, Plan } from '../record.js';

export interface BinaryCrossEntropyOptions {
  /** Default 'mean'. */
  reduction?: Reduction;
  /** The prediction is z with probability sigmoid(z); more accurate than a sigmoid before. */
  fromLogits?: boolean;
  /** @internal For benches and tests: the kernel to use instead of the chosen one. */
  variant?: BinaryCrossEntropyVariant;
}

export interface BinaryCrossEntropyPlan extends Plan {
  reduction: Reduction;
  elements: number;
}

/** loss[i] = −t · log p − (1 − t) · log(1 − p), p the prediction or its sigmoid. */
export const binaryCrossEntropy: OpRecord<BinaryCrossEntropyOptions, BinaryCrossEntropyPlan> = {
  name: 'binaryCrossEntropy',
  variants: () => binaryCrossEntropyVariants,
  inputs: { prediction: '…', target: '…' },
  shape(inputs, options) {
    const { shape } = expectAlike('binaryCrossEntropy', inputs.prediction, inputs.target);
    const reduction = expectReduction('binaryCrossEntropy', options.reduction);
    return {
      shape: lossShape(reduction, shape),
      dtype: 'f32',
      reduction,
      elements: sizeOf(shape),
    };
  },
  forward({ runtime, inputs, options, plan }) {
    const { prediction, target } = inputs;
    return {
      y: binaryCrossEntropyForward(runtime, prediction!, target!, setupOf(options, plan)),
    };
  },
  saves: { prediction: ['prediction', 'target'], target: ['prediction'] },
  derivatives: {
    prediction:
      'dprediction = dy · (p − t) / max(p · (1 − p), 1e-12); fromLogits: dy · (sigmoid(z) − t)',
    target: 'dtarget = dy · (log(1 − p) − log p); fromLogits: −dy · z',
  },
  backward({ runtime, dy, saved, options, plan, needs }) {
    const setup = setupOf(options, plan);
    const { prediction } = saved;
    // The target's own gradient does not look at the target.
    const target = saved.target ?? prediction;
    const run = (ofTarget: boolean) =>
      binaryCrossEntropyBackward(runtime, dy, prediction, target, setup, ofTarget);
    return {
      prediction: needs.prediction ? run(false) : undefined,
      target: needs.target ? run(true) : undefined,
    };
  },
  flops: (_inputs, plan) => 8 * plan.elements,
  bytes: (_inputs, plan) => 4 * (2 * plan.elements + sizeOf(plan.shape)),
  source: 'Goodfellow, Bengio & Courville, Deep Learning (2016), section 6.2.2.2',
};

function setupOf(options: BinaryCrossEntropyOptions, plan: BinaryCrossEntropyPlan) {
  const { fromLogits = false, variant } = options;
  return { reduction: plan.reduction, fromLogits, variant };
}
