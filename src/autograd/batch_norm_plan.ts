import { ShapeError } from '../errors.js';
import { sizeOf } from '../gpu/array.js';
import type { BatchNormSetup } from '../kernels/batch_norm/setup.js';
import type { BatchNormVariant } from '../kernels/batch_norm/variants.js';
import type { NormActivation } from '../kernels/lib/activation.js';
import type { InputMetas, Plan } from './record.js';
import { expectDtype, label } from './shapes.js';

export interface BatchNormOptions {
  /** Normalise with the batch's statistics and move the running ones. Default false. */
  training?: boolean;
  /** Share of the batch in the running statistics. Default 0.1. */
  momentum?: number;
  /** Added to the variance. Default 1e-5. */
  epsilon?: number;
  /** silu wants gamma and beta, and no residual. */
  activation?: NormActivation;
  /** @internal For benches and tests: the kernels to use instead of the chosen ones. */
  variant?: BatchNormVariant;
}

export interface BatchNormPlan extends Plan {
  setup: BatchNormSetup;
}

/** Checks what batchNorm is given. */
export function batchNormPlan(inputs: InputMetas, options: BatchNormOptions): BatchNormPlan {
  const { training = false, momentum = 0.1, epsilon = 1e-5, activation, variant } = options;
  const { x, residual } = inputs;
  if (!x || x.shape.length < 2) {
    throw new ShapeError(
      `batchNorm: x must have at least 2 dimensions, channels last, got x ${label(x, '')}`,
    );
  }
  expectDtype('batchNorm', 'x', x);
  const c = x.shape.at(-1)!;
  const rows = sizeOf(x.shape) / c;
  const shapes = `x ${label(x, 'N H W C')}`;
  for (const name of ['gamma', 'beta', 'runningMean', 'runningVariance']) {
    const given = inputs[name];
    if (!given) continue;
    if (given.shape.length !== 1 || given.shape[0] !== c) {
      throw new ShapeError(
        `batchNorm: ${name} must have one value for each of C=${c} channels, got ${name} ${label(given, 'C')} (${shapes})`,
      );
    }
    expectDtype('batchNorm', name, given);
  }
  if (residual && residual.shape.join() !== x.shape.join()) {
    throw new ShapeError(
      `batchNorm: residual must have the shape of x (${shapes}, residual ${label(residual, 'N H W C')})`,
    );
  }
  if (residual) expectDtype('batchNorm', 'residual', residual);
  if (!inputs.runningMean !== !inputs.runningVariance || (!training && !inputs.runningMean)) {
    throw new ShapeError(
      `batchNorm: runningMean and runningVariance must both be given${training ? ', or neither' : ' unless training'} (${shapes})`,
    );
  }
  checkNumbers(options, training, rows, shapes);
  const setup = { rows, c, isTraining: training, momentum, epsilon, activation, variant };
  return { shape: x.shape, dtype: 'f32', setup };
}

function checkNumbers(
  { momentum = 0.1, epsilon = 1e-5 }: BatchNormOptions,
  training: boolean,
  rows: number,
  shapes: string,
): void {
  if (!(momentum >= 0 && momentum <= 1)) {
    throw new ShapeError(`batchNorm: momentum must lie in [0, 1], got ${momentum} (${shapes})`);
  }
  if (!(epsilon > 0)) {
    throw new ShapeError(`batchNorm: epsilon must be positive, got ${epsilon} (${shapes})`);
  }
  if (training && rows < 2) {
    throw new ShapeError(
      `batchNorm: training needs at least 2 values a channel, got ${rows} (${shapes})`,
      {
        program: 'use a larger batch, or training: false',
        commandLine:
          'use another --batch-size, or --drop-last, so that no batch holds one image alone',
      },
    );
  }
}
