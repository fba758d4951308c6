import { ShapeError } from '../../errors.js';
import { sizeOf } from '../../gpu/array.js';
import {
  fitsGroupNormVectors,
  groupNormForward,
  groupNormGradBeta,
  groupNormGradGamma,
  groupNormGradInput,
  groupNormStatistics,
  groupNormVariants,
  type GroupNormSetup,
  type GroupNormVariant,
} from '../../kernels/group_norm.js';
import { reshaped } from '../../kernels/reduce.js';
import { expectElements, labelAny } from '../operands.js';
import type { InputMetas, Meta, OpRecord, Plan } from '../record.js';
import { axisOf, expectDtype } from '../shapes.js';

export interface GroupNormOptions {
  /** groupNorm: number of groups that the channels are dealt into, neighbours together. */
  groups?: number;
  /** layerNorm: the first axis that is normalised, with all after it. Default −1: the last alone. */
  axis?: number;
  /** Added to the variance. Default 1e-5. */
  epsilon?: number;
  /** For benches and tests: the kernel to use instead of the chosen one. */
  variant?: GroupNormVariant;
}

export interface GroupNormPlan extends Plan {
  setup: GroupNormSetup;
}

type GroupNormName = 'groupNorm' | 'layerNorm' | 'instanceNorm';
type GroupNormRecord = OpRecord<GroupNormOptions, GroupNormPlan>;

/** y = gamma[c] · (x − mean) / √(variance + epsilon) + beta[c], statistics of C / groups channels of an image. */
export const groupNorm = normRecord(
  'groupNorm',
  'N … C',
  'C?',
  'Wu & He, arXiv:1803.08494, section 3',
);

/** The same with the statistics of one channel of an image. */
export const instanceNorm = normRecord(
  'instanceNorm',
  'N … C',
  'C?',
  'Ulyanov, Vedaldi & Lempitsky, arXiv:1607.08022, equation 3',
);

/** The same with the statistics of all values from `axis` on, which gamma and beta have one factor for each of. */
export const layerNorm = normRecord(
  'layerNorm',
  '… D',
  'D?',
  'Ba, Kiros & Hinton, arXiv:1607.06450, section 3',
);

/** The record of the normalisation that `options.op` names. */
export function recordOf(options: { op?: unknown }): GroupNormRecord {
  return { groupNorm, instanceNorm, layerNorm }[options.op as GroupNormName];
}

function normRecord(
  name: GroupNormName,
  xLetters: string,
  factorLetters: string,
  source: string,
): GroupNormRecord {
  return {
    name,
    variants: ({ setup }) => (fitsGroupNormVectors(setup) ? groupNormVariants : []),
    inputs: { x: xLetters, gamma: factorLetters, beta: factorLetters },
    shape: (inputs, options) => normPlan(name, inputs, options),
    forward({ runtime, inputs, options, plan }) {
      const { x, gamma, beta } = inputs;
      const setup = { ...plan.setup, variant: options.variant };
      const statistics = groupNormStatistics(runtime, x!, setup);
      const y = groupNormForward(runtime, x!, statistics, { gamma, beta }, setup);
      return { y, extras: { ...statistics } };
    },
    saves: {
      x: ['x', 'gamma'],
      gamma: ['x'],
      mean: ['x', 'gamma'],
      variance: ['x', 'gamma'],
    },
    derivatives: {
      x: 'dx = rstd · (g − mean g − x̂ · mean(g · x̂)), g = dy · gamma, the means over the group',
      gamma: 'dgamma = Σ dy · x̂',
      beta: 'dbeta = Σ dy',
    },
    backward({ runtime, dy, saved, inputs, options, plan, needs }) {
      const setup = { ...plan.setup, variant: options.variant };
      const { x, gamma, mean, variance } = saved;
      const arrays = { dy, x, gamma, mean, variance };
      return {
        x: needs.x ? groupNormGradInput(runtime, arrays, setup) : undefined,
        gamma: needs.gamma
          ? reshaped(groupNormGradGamma(runtime, arrays, setup), inputs.gamma!.shape)
          : undefined,
        beta: needs.beta
          ? reshaped(groupNormGradBeta(runtime, dy, setup), inputs.beta!.shape)
          : undefined,
      };
    },
    flops: (_inputs, plan) => 8 * sizeOf(plan.shape),
    bytes: (_inputs, plan) => 8 * sizeOf(plan.shape),
    source,
  };
}

function normPlan(
  name: GroupNormName,
  inputs: InputMetas,
  options: GroupNormOptions,
): GroupNormPlan {
  const x = expectElements(name, 'x', inputs.x);
  const { epsilon = 1e-5 } = options;
  if (!(epsilon > 0)) {
    throw new ShapeError(`${name}: epsilon must be above 0, got ${epsilon} (${labelAny('x', x)})`);
  }
  const setup = {
    ...(name === 'layerNorm' ? layerOf(x, options) : groupsOf(name, x, options)),
    epsilon,
  };
  const factors =
    name === 'layerNorm' ? x.shape.slice(x.shape.length - rankOf(x, options)) : [x.shape.at(-1)!];
  for (const each of ['gamma', 'beta']) expectFactors(name, each, inputs[each], factors, x);
  return { shape: x.shape, dtype: 'f32', setup };
}

/** How many axes layerNorm normalises. */
function rankOf(x: Meta, { axis = -1 }: GroupNormOptions): number {
  return x.shape.length - axisOf('layerNorm', axis, x.shape);
}

function layerOf(x: Meta, options: GroupNormOptions) {
  const depth = sizeOf(x.shape.slice(x.shape.length - rankOf(x, options)));
  return { outer: sizeOf(x.shape) / depth, pixels: 1, groups: 1, depth };
}

function groupsOf(name: GroupNormName, x: Meta, options: GroupNormOptions) {
  const what = labelAny('x', x);
  if (x.shape.length < 2) {
    throw new ShapeError(`${name}: x must have at least 2 dimensions [N … C], got ${what}`);
  }
  const channels = x.shape.at(-1)!;
  const groups = name === 'instanceNorm' ? channels : options.groups;
  if (!Number.isInteger(groups) || groups! < 1 || channels % groups! !== 0) {
    throw new ShapeError(
      `${name}: groups must divide C=${channels} channels, got ${String(groups)} (${what})`,
    );
  }
  const [outer] = x.shape;
  const pixels = sizeOf(x.shape) / outer / channels;
  return { outer, pixels, groups: groups!, depth: channels / groups! };
}

function expectFactors(
  op: string,
  name: string,
  factors: Meta | undefined,
  shape: readonly number[],
  x: Meta,
): void {
  if (!factors) return;
  expectDtype(op, name, factors);
  if (factors.shape.join() === shape.join()) return;
  throw new ShapeError(
    `${op}: ${name} must have the shape [${shape.join(' ')}], got ${labelAny(name, factors)} (${labelAny('x', x)})`,
  );
}
