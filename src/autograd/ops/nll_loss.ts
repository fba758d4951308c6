import { sizeOf } from '../../gpu/array.js';
import { ShapeError } from '../../gpu/errors.js';
import type { Reduction } from '../../kernels/loss_reduction.js';
import { nllLossBackward, nllLossForward } from '../../kernels/nll_loss.js';
import { expectReduction, reducedShape } from '../losses.js';
import type { OpRecord, Plan } from '../record.js';
import { expectDtype, expectInput, label, withShapes } from '../shapes.js';

export interface NllLossOptions {
  /** Default 'mean'. */
  reduction?: Reduction;
}

export interface NllLossPlan extends Plan {
  reduction: Reduction;
  n: number;
}

/** loss[n] = −logProbabilities[n, labels[n]]. */
export const nllLoss: OpRecord<NllLossOptions, NllLossPlan> = {
  name: 'nllLoss',
  inputs: { logProbabilities: 'N K', labels: 'N' },
  shape(inputs, options) {
    const { labels } = inputs;
    const shapes = `logProbabilities ${label(inputs.logProbabilities, 'N K')}, labels ${label(labels, 'N')}`;
    return withShapes(shapes, () => {
      const x = expectInput('nllLoss', 'logProbabilities', inputs.logProbabilities, 'N K');
      const [n] = x.shape;
      if (!labels || labels.shape.join() !== `${n}`) {
        throw new ShapeError(`nllLoss: labels must be [N=${n}] class numbers`);
      }
      expectDtype('nllLoss', 'labels', labels, ['i32', 'u32']);
      const reduction = expectReduction('nllLoss', options.reduction);
      return { shape: reducedShape(reduction, [n]), dtype: 'f32' as const, reduction, n };
    });
  },
  forward({ runtime, inputs, plan }) {
    const { logProbabilities, labels } = inputs;
    return { y: nllLossForward(runtime, logProbabilities!, labels!, plan.reduction) };
  },
  saves: { labels: ['logProbabilities'] },
  derivatives: { logProbabilities: 'dlogProbabilities[n,k] = −dy[n] where k = labels[n], else 0' },
  backward({ runtime, dy, saved, inputs, plan, needs }) {
    if (!needs.logProbabilities) return {};
    const { shape } = inputs.logProbabilities!;
    return {
      logProbabilities: nllLossBackward(runtime, dy, saved.labels, shape, plan.reduction),
    };
  },
  flops: (_inputs, plan) => plan.n,
  bytes: (_inputs, plan) => 4 * (2 * plan.n + sizeOf(plan.shape)),
  source: 'Goodfellow, Bengio & Courville, Deep Learning (2016), section 6.2.1',
};
