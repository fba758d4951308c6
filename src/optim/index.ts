import { UsageError } from '../gpu/errors.js';
import { Adam, AdamW, type AdamOptions } from './adam.js';
import type { Optimizer, Parameters } from './optimizer.js';
import { RMSprop, type RMSpropOptions } from './rmsprop.js';
import { SGD, type SGDOptions } from './sgd.js';

export { clipGradNorm } from './clip.js';
export { Optimizer, type OptimizerState, type Parameters, type SavedState } from './optimizer.js';
export * as schedule from './schedule.js';
export type { Plateau, PlateauOptions, PlateauState, Schedule } from './schedule.js';
export type { Guard } from '../kernels/optimizer.js';
export { Adam, AdamW, RMSprop, SGD };
export type { AdamOptions, RMSpropOptions, SGDOptions };

const factories = {
  sgd: SGD,
  adam: Adam,
  adamw: AdamW,
  rmsprop: RMSprop,
} as const;

export type OptimizerName = keyof typeof factories;

/**
 * Makes an optimizer by the name it has on the command line. There sgd has a momentum of 0.9, what
 * networks with batch norm are usually trained with.
 *
 * Errors: UsageError with the names there are.
 */
export function createOptimizer(
  name: OptimizerName,
  parameters: Parameters,
  options: { lr?: number; weightDecay?: number } = {},
): Optimizer {
  if (!Object.hasOwn(factories, name)) {
    const names = Object.keys(factories).join(', ');
    throw new UsageError(`optimizer: no optimizer named "${name as string}"; there are ${names}`);
  }
  if (name === 'sgd') return new SGD(parameters, { momentum: 0.9, ...options });
  return new factories[name](parameters, options);
}
