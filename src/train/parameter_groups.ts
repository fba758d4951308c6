import { optionName, trainerName, UsageError } from '../errors.js';
import { F32_RANGE, isF32 } from '../gpu/f32.js';
import type { Module } from '../nn/index.js';
import {
  createOptimizer,
  LossScaler,
  type LossScalerOptions,
  type Optimizer,
  type OptimizerOptions,
  type ParameterGroup,
} from '../optim/index.js';
import { parametersOf } from './freeze.js';
import type { Settings } from './settings.js';

/** The settings that an optimizer is made from. */
export type OptimizerSettings = Pick<
  Settings,
  | 'optimizer'
  | ('lr' | 'weightDecay' | 'l2' | 'lrScale' | 'dtype')
  | ('momentum' | 'nesterov' | 'beta1' | 'beta2' | 'alpha' | 'epsilon' | 'amsgrad')
>;

/**
 * The parameters of a network in groups of one learning rate and one weight decay.
 *
 * L2 adds l2 · Σ w² to the loss, so 2 · l2 · w to the gradient, of the weights of convolutions and
 * dense layers alone: biases and batch norms have one axis.
 */
function groupsOf(
  model: Module,
  { lr, lrScale, l2, weightDecay }: Pick<Settings, 'lr' | 'lrScale' | 'l2' | 'weightDecay'>,
): ParameterGroup[] {
  const factors = new Map<string, number>();
  for (const [pattern, factor] of Object.entries(lrScale)) {
    const what = `${optionName('lrScale')} ${pattern}=${factor} at ${optionName('lr')} ${lr}`;
    expectF32(what, factor * lr, factor === 0);
    for (const name of parametersOf(model, [pattern], 'lrScale').keys()) {
      factors.set(name, factor);
    }
  }
  const decay = `${optionName('l2')} ${l2} with ${optionName('weightDecay')} ${weightDecay}`;
  expectF32(decay, weightDecay + 2 * l2);
  const groups = new Map<string, ParameterGroup & { parameters: [string, never][] }>();
  for (const [name, parameter] of model.namedParameters()) {
    const factor = factors.get(name) ?? 1;
    const decay = weightDecay + (parameter.shape.length > 1 ? 2 * l2 : 0);
    const key = `${factor} ${decay}`;
    const group = groups.get(key) ?? { parameters: [], lrScale: factor, weightDecay: decay };
    group.parameters.push([name, parameter as never]);
    groups.set(key, group);
  }
  return [...groups.values()];
}

/** What two settings make together; each by itself is a number of f32. */
function expectF32(what: string, value: number, isZero = value === 0): void {
  if (isF32(value) && (value !== 0 || isZero)) return;
  const text = `${trainerName()}: ${what} makes ${value}, which f32 cannot hold`;
  throw new UsageError(text, `keep it from ${F32_RANGE}`);
}

/**
 * Makes the optimizer that the settings name; with a scaler of the loss where operands are f16.
 *
 * Errors: UsageError for an option that it has not, and for a pattern that means no parameter.
 */
export function makeOptimizer(
  model: Module,
  config: OptimizerSettings,
  lossScale: LossScalerOptions = {},
): Optimizer {
  if (config.optimizer === 'adamw' && config.l2 > 0) {
    throw new UsageError(
      `${trainerName()}: adamw takes no ${optionName('l2')}: it keeps decay out of the gradient`,
      `use ${optionName('weightDecay')}, or the optimizer adam`,
    );
  }
  const { momentum, nesterov, beta1, beta2, alpha, epsilon, amsgrad } = config;
  const chosen = { momentum, nesterov, beta1, beta2, alpha, epsilon, amsgrad };
  const options: OptimizerOptions = { lr: config.lr, weightDecay: config.weightDecay };
  for (const [name, value] of Object.entries(chosen)) {
    if (value !== null) Object.assign(options, { [name]: value });
  }
  const optimizer = createOptimizer(config.optimizer, groupsOf(model, config), options);
  if (config.dtype === 'f16') new LossScaler(optimizer, lossScale);
  return optimizer;
}
