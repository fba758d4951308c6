import { ShapeError } from '../../errors.js';
import { sizeOf } from '../../gpu/array.js';
import {
  dropoutBackward,
  dropoutForward,
  dropoutVariants,
  type DropoutVariant,
} from '../../kernels/dropout.js';
import { drawBlock } from '../../kernels/random.js';
import type { InputMetas, OpRecord, Plan } from '../record.js';
import { expectDtype } from '../shapes.js';

export interface DropoutOptions {
  /** Probability of an element to be dropped, in [0, 1). */
  rate: number;
  /** Where false, y = x. Default true. */
  training?: boolean;
  /** @internal For benches and tests: the kernel to use instead of the chosen one. */
  variant?: DropoutVariant;
}

export interface DropoutPlan extends Plan {
  /** True where nothing is dropped and no random number is drawn. */
  isIdentity: boolean;
}

/** Inverted dropout: y[i] = x[i] · mask[i] / (1 − rate), the mask drawn again at every call. */
export const dropout: OpRecord<DropoutOptions, DropoutPlan> = {
  name: 'dropout',
  variants: () => dropoutVariants,
  inputs: { x: '…' },
  shape: dropoutPlan,
  forward({ runtime, inputs, options, plan, keepsExtras }) {
    const x = inputs.x!;
    if (plan.isIdentity) return { y: x.retain() };
    const block = drawBlock(runtime);
    const y = dropoutForward(runtime, x, block, options.rate, { variant: options.variant });
    // The mask is recomputed from the block: 16 bytes are saved instead of one value per element.
    if (keepsExtras) return { y, extras: { block } };
    block.release();
    return { y };
  },
  saves: { block: ['x'] },
  derivatives: { x: 'dx[i] = dy[i] · mask[i] / (1 − rate)' },
  backward({ runtime, dy, saved, options, plan, needs }) {
    if (!needs.x) return {};
    if (plan.isIdentity) return { x: dy.retain() };
    const { rate, variant } = options;
    return { x: dropoutBackward(runtime, dy, saved.block, rate, { variant }) };
  },
  flops: (_inputs, plan) => (plan.isIdentity ? 0 : sizeOf(plan.shape)),
  bytes: (_inputs, plan) => (plan.isIdentity ? 0 : 8 * sizeOf(plan.shape)),
  source:
    'Srivastava et al., Dropout: a simple way to prevent neural networks from overfitting, JMLR 15 (2014), section 4',
};

function dropoutPlan(inputs: InputMetas, options: DropoutOptions): DropoutPlan {
  const { x } = inputs;
  if (!x) throw new ShapeError('dropout: x is missing');
  expectDtype('dropout', 'x', x);
  const { rate, training = true } = options;
  if (!(rate >= 0 && rate < 1)) {
    throw new ShapeError(
      `dropout: rate must lie in [0, 1), got ${rate} (x [${x.shape.join(' ')}])`,
      'rate is the share that is dropped, not the share that is kept',
    );
  }
  return { shape: x.shape, dtype: 'f32', isIdentity: !training || rate === 0 };
}
