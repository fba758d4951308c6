import { optionName, UsageError } from '../errors.js';
import { didYouMean } from '../gpu/nearest_name.js';
import { Adam, AdamW, type AdamOptions } from './adam.js';
import type { Optimizer } from './optimizer.js';
import type { Parameters } from './parameters.js';
import { RMSprop, type RMSpropOptions } from './rmsprop.js';
import { SGD, type SGDOptions } from './sgd.js';

export { clipGradNorm } from './clip.js';
export {
  LossScaler,
  type LossScaleHalt,
  type LossScaleState,
  type LossScalerOptions,
} from './loss_scaler.js';
export { Optimizer } from './optimizer.js';
export type { ParameterGroup, Parameters } from './parameters.js';
export type { OptimizerState, SavedState } from './state_dict.js';
export * as schedule from './schedule.js';
export type { Plateau, PlateauOptions, PlateauState, Schedule } from './schedule.js';
export { Adam, AdamW, RMSprop, SGD };
export type { AdamOptions, RMSpropOptions, SGDOptions };

const factories = {
  sgd: SGD,
  adam: Adam,
  adamw: AdamW,
  rmsprop: RMSprop,
} as const;

export type OptimizerName = keyof typeof factories;

export const optimizerNames = Object.keys(factories) as readonly OptimizerName[];

/** The name of an optimizer's kind; null for one of another program. */
export function nameOfOptimizer(optimizer: Optimizer): OptimizerName | null {
  return optimizerNames.find((name) => optimizer.constructor === factories[name]) ?? null;
}

/** Options that every optimizer takes, and those of single ones. */
export type OptimizerOptions = SGDOptions & AdamOptions & RMSpropOptions;

/** What an optimizer takes beside lr and weightDecay. */
const ownOptions: Readonly<Record<OptimizerName, readonly (keyof OptimizerOptions)[]>> = {
  sgd: ['momentum', 'nesterov'],
  adam: ['beta1', 'beta2', 'epsilon', 'amsgrad'],
  adamw: ['beta1', 'beta2', 'epsilon', 'amsgrad'],
  rmsprop: ['alpha', 'epsilon', 'momentum'],
};

/**
 * Creates an optimizer by its command-line name. There sgd has momentum 0.9, as is usual for networks
 * with batch norm.
 *
 * Errors: UsageError with the names there are, and for an option that the optimizer has not.
 */
export function createOptimizer(
  name: OptimizerName,
  parameters: Parameters,
  options: OptimizerOptions = {},
): Optimizer {
  if (!Object.hasOwn(factories, name)) {
    const names = Object.keys(factories);
    throw new UsageError(
      `optimizer: no optimizer named "${name as string}"; there are ${names.join(', ')}`,
      didYouMean(name, names),
    );
  }
  const allowed = ['lr', 'weightDecay', ...ownOptions[name]];
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  for (const [option] of given) {
    if (allowed.includes(option)) continue;
    const takes = allowed.map(optionName).join(', ');
    throw new UsageError(`optimizer: ${name} has no ${optionName(option)}; it takes ${takes}`);
  }
  const usual = name === 'sgd' ? { momentum: 0.9 } : {};
  return new factories[name](parameters, { ...usual, ...Object.fromEntries(given) });
}
