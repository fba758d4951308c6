import { sizeOf } from '../../gpu/array.js';
import type { Reduction } from '../../kernels/lib/loss_reduction.js';
import {
  mseLossBackward,
  mseLossForward,
  mseLossVariants,
  type MseLossVariant,
} from '../../kernels/mse_loss.js';
import { expectAlike, expectReduction, lossShape } from '../losses.js';
import type { OpRecord, Plan } from '../record.js';

export interface MseLossOptions {
  /** Default 'mean'. */
  reduction?: Reduction;
  /** @internal For benches and tests: the kernel to use instead of the chosen one. */
  variant?: MseLossVariant;
}

export interface MseLossPlan extends Plan {
  reduction: Reduction;
  elements: number;
}

/** loss[i] = (prediction[i] − target[i])². */
export const mseLoss: OpRecord<MseLossOptions, MseLossPlan> = {
  name: 'mseLoss',
  variants: () => mseLossVariants,
  inputs: { prediction: '…', target: '…' },
  shape(inputs, options) {
    const { shape } = expectAlike('mseLoss', inputs.prediction, inputs.target);
    const reduction = expectReduction('mseLoss', options.reduction);
    return {
      shape: lossShape(reduction, shape),
      dtype: 'f32',
      reduction,
      elements: sizeOf(shape),
    };
  },
  forward({ runtime, inputs, options, plan }) {
    const setup = { reduction: plan.reduction, variant: options.variant };
    return { y: mseLossForward(runtime, inputs.prediction!, inputs.target!, setup) };
  },
  saves: { prediction: ['prediction', 'target'], target: ['prediction', 'target'] },
  derivatives: {
    prediction: 'dprediction[i] = 2 · dy · (prediction[i] − target[i])',
    target: 'dtarget[i] = −2 · dy · (prediction[i] − target[i])',
  },
  backward({ runtime, dy, saved, options, plan, needs }) {
    const setup = { reduction: plan.reduction, variant: options.variant };
    const run = (ofTarget: boolean) =>
      mseLossBackward(runtime, dy, saved.prediction, saved.target, setup, ofTarget);
    return {
      prediction: needs.prediction ? run(false) : undefined,
      target: needs.target ? run(true) : undefined,
    };
  },
  flops: (_inputs, plan) => 3 * plan.elements,
  bytes: (_inputs, plan) => 4 * (2 * plan.elements + sizeOf(plan.shape)),
  source: 'Goodfellow, Bengio & Courville, Deep Learning (2016), section 5.1.4',
};
