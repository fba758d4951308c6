import { optionName, trainerName, UsageError } from '../errors.js';
import { Dropout, StochasticDepth, type Module } from '../nn/index.js';
import { Parameter } from '../nn/parameter.js';

/* What of a network is trained, and how freely. */

/**
 * Whether a parameter's name is meant by a pattern: the whole name, or the module it lies in;
 * `*` stands for any text. `layer1` means all of layer1, `*.bias` every bias.
 */
export function matchesPattern(name: string, pattern: string): boolean {
  const escaped = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${escaped.join('.*')}(\\..*)?$`).test(name);
}

/**
 * The parameters that patterns mean.
 *
 * Errors: UsageError for a pattern that means none.
 */
export function parametersOf(
  model: Module,
  patterns: readonly string[],
  option: 'freeze' | 'lrScale',
): Map<string, Parameter> {
  const all = [...model.namedParameters()];
  const found = new Map<string, Parameter>();
  for (const pattern of patterns) {
    const meant = all.filter(([name]) => matchesPattern(name, pattern));
    if (meant.length === 0) {
      const names = [...new Set(all.map(([name]) => name.replace(/\.\w+$/, '')))];
      const shown = names.slice(0, 8).join(', ');
      throw new UsageError(
        `${trainerName()}: ${optionName(option)} ${pattern}: no parameter has such a name`,
        `modules are ${shown}${names.length > 8 ? ` and ${names.length - 8} more` : ''}`,
      );
    }
    for (const [name, parameter] of meant) found.set(name, parameter);
  }
  return found;
}

/**
 * Keeps parameters as they are while the rest is trained. No gradient is computed for them, and
 * batch norms whose scale and offset are frozen use and keep their running statistics.
 */
export class Freezer {
  private readonly frozen: Map<string, Parameter>;
  private isActive = false;

  /** Errors: UsageError for a pattern that means nothing, or where nothing is left to train. */
  constructor(
    private readonly model: Module,
    patterns: readonly string[],
  ) {
    this.frozen = parametersOf(model, patterns, 'freeze');
    const count = [...model.parameters()].length;
    if (patterns.length === 0 || this.frozen.size < count) return;
    throw new UsageError(
      `${trainerName()}: ${optionName('freeze')} ${patterns.join(', ')} leaves no parameter to train`,
      'freeze less of the network',
    );
  }

  /** Freezes or sets free; true where that changed anything. */
  set(isFrozen: boolean): boolean {
    if (this.frozen.size === 0 || isFrozen === this.isActive) return false;
    this.isActive = isFrozen;
    for (const parameter of this.frozen.values()) {
      parameter.zeroGrad();
      parameter.requiresGrad = !isFrozen;
    }
    return true;
  }

  /** Puts the network in training mode, but for the modules that are frozen. */
  train(): void {
    this.model.train();
    if (!this.isActive) return;
    for (const [, module] of this.model.namedModules()) {
      if (this.isFrozen(module)) module.isTraining = false;
    }
  }

  /** Whether all parameters of a module are among those that are kept as they are. */
  isFrozen(module: Module): boolean {
    const own = Object.values(module).filter((value) => value instanceof Parameter);
    const frozen = new Set(this.frozen.values());
    return own.length > 0 && own.every((value) => frozen.has(value));
  }
}

/**
 * Sets the rate of every dropout layer; without dropout, residual branches are not dropped either.
 *
 * Errors: UsageError if the network has no dropout layer and a rate above 0 is asked for.
 */
export function setDropout(model: Module, rate: number, modelName: string): void {
  let count = 0;
  for (const [, module] of model.namedModules()) {
    if (module instanceof Dropout) {
      module.rate = rate;
      count++;
    } else if (module instanceof StochasticDepth && rate === 0) module.rate = 0;
  }
  if (count > 0 || rate === 0) return;
  throw new UsageError(
    `train: --dropout ${rate}: the model ${modelName} has no dropout layer`,
    'leave it out, or choose another --model',
  );
}
