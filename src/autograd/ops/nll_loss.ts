import { ShapeError } from '../../errors.js';
import { sizeOf } from '../../gpu/array.js';
import type { Reduction } from '../../kernels/lib/loss_reduction.js';
import { nllLossBackward, nllLossForward, type NllLossSetup } from '../../kernels/nll_loss.js';
import { expectClassWeights, expectIgnoreIndex, expectReduction, lossShape } from '../losses.js';
import type { OpRecord, Plan } from '../record.js';
import { expectDtype, expectInput, label, withShapes } from '../shapes.js';

export interface NllLossOptions {
  /** Default 'mean'. */
  reduction?: Reduction;
  /** The class number of rows that count neither in the loss nor in a mean; default: none. */
  ignoreIndex?: number;
}

export interface NllLossPlan extends Plan {
  setup: NllLossSetup;
}

/** loss[n] = −classWeights[c] · logProbabilities[n, c], c = labels[n]. */
export const nllLoss: OpRecord<NllLossOptions, NllLossPlan> = {
  name: 'nllLoss',
  inputs: { logProbabilities: 'N K', labels: 'N', classWeights: 'K?' },
  shape(inputs, options) {
    const { labels } = inputs;
    const shapes = `logProbabilities ${label(inputs.logProbabilities, 'N K')}, labels ${label(labels, 'N')}`;
    return withShapes(shapes, () => {
      const x = expectInput('nllLoss', 'logProbabilities', inputs.logProbabilities, 'N K');
      const [n, k] = x.shape;
      if (!labels || labels.shape.join() !== `${n}`) {
        throw new ShapeError(`nllLoss: labels must be [N=${n}] class numbers`);
      }
      expectDtype('nllLoss', 'labels', labels, ['i32', 'u32']);
      expectClassWeights('nllLoss', inputs.classWeights, k);
      const ignoreIndex = expectIgnoreIndex('nllLoss', options.ignoreIndex);
      const reduction = expectReduction('nllLoss', options.reduction);
      const setup = { n, k, reduction, ignoreIndex };
      return { shape: lossShape(reduction, [n]), dtype: 'f32' as const, setup };
    });
  },
  forward({ runtime, inputs, plan }) {
    const { logProbabilities, labels, classWeights } = inputs;
    const arrays = { logProbabilities: logProbabilities!, labels: labels!, classWeights };
    const { y, ...extras } = nllLossForward(runtime, arrays, plan.setup);
    return { y, extras };
  },
  saves: {
    labels: ['logProbabilities'],
    classWeights: ['logProbabilities'],
    weightSum: ['logProbabilities'],
  },
  derivatives: {
    logProbabilities:
      'dlogProbabilities[n,k] = −dy[n] · classWeights[k] where k = labels[n], else 0',
  },
  backward({ runtime, dy, saved, plan, needs }) {
    if (!needs.logProbabilities) return {};
    const { labels, classWeights, weightSum } = saved;
    const arrays = { dy, labels, classWeights, weightSum };
    return { logProbabilities: nllLossBackward(runtime, arrays, plan.setup) };
  },
  flops: (_inputs, plan) => plan.setup.n,
  bytes: (_inputs, plan) => 4 * (2 * plan.setup.n + sizeOf(plan.shape)),
  source: 'Goodfellow, Bengio & Courville, Deep Learning (2016), section 6.2.1',
};
