import { augmentText } from '../autograd/augment_text.js';
import type { AugmentSettings } from '../autograd/augment_settings.js';
import { batches, type Batch, type ImageDataset } from '../data/index.js';
import { ShapeError, UsageError } from '../errors.js';
import { didYouMean } from '../gpu/nearest_name.js';
import {
  nameOfOptimizer,
  Optimizer,
  type OptimizerName,
  type Plateau,
  type Schedule,
} from '../optim/index.js';
import type { FitOptions } from './fit_options.js';
import { normalizationText } from './normalization.js';
import { checked } from './setting_kinds.js';
import { settings, type Settings } from './settings.js';

/** The settings of a run, as the command line has them, that are options of fit. */
export const sharedKeys = [
  ...(['epochs', 'batchSize', 'dropLast', 'lr', 'warmup', 'weightDecay', 'l2', 'lrScale'] as const),
  ...(['momentum', 'nesterov', 'beta1', 'beta2', 'alpha', 'epsilon', 'amsgrad'] as const),
  ...(['lossReduction', 'labelSmoothing', 'clipNorm', 'augment', 'normalize', 'dtype'] as const),
  ...(['validateEvery', 'bestBy', 'freeze', 'unfreezeAfter', 'seed'] as const),
] satisfies readonly (keyof Settings)[];

/** Options of an optimizer that is given by its name. */
const optimizerKeys = [
  ...(['lr', 'weightDecay', 'l2', 'lrScale', 'momentum', 'nesterov'] as const),
  ...(['beta1', 'beta2', 'alpha', 'epsilon', 'amsgrad'] as const),
];

const otherKeys = [
  ...(['optimizer', 'schedule', 'lossScale', 'shuffle', 'classWeights', 'input'] as const),
  ...(['classNames', 'capture', 'callbacks', 'out', 'resume', 'signal', 'run'] as const),
] satisfies readonly (keyof FitOptions)[];

/** What decides the numbers of a run: the options of fit with their defaults, checked. */
export interface FitSettings extends Pick<Settings, (typeof sharedKeys)[number]> {
  /** Null for one of another program. */
  optimizer: OptimizerName | null;
  /** 'constant' where a plateau is given. */
  schedule: string | Schedule;
  shuffle: boolean;
  classWeights: readonly number[] | null;
  /** Whether steps of full batches are captured. */
  capture: boolean;
  /** Whether the weights to begin with came from elsewhere. */
  isPretrained: boolean;
}

/**
 * Errors: UsageError for an option that does not exist, with the nearest that does, for a value that
 * it cannot have, and for options of a named optimizer beside one that is made already.
 */
export function fitSettings(options: FitOptions): FitSettings {
  checkKeys(options);
  const shared: Partial<Record<keyof Settings, unknown>> = {};
  const texts = {
    ...options,
    augment: augmentOf(options.augment),
    normalize: options.normalize && normalizationText(options.normalize),
  };
  for (const key of sharedKeys) {
    const setting = settings.find((candidate) => candidate.key === key)!;
    const value = texts[key] ?? setting.default;
    shared[key] = value === null ? null : checked('fit', key, setting.kind, value);
  }
  const { run } = options;
  const optimizer = options.optimizer ?? 'adam';
  const schedule = options.schedule ?? 'constant';
  const isMade = optimizer instanceof Optimizer;
  return {
    ...(shared as Pick<Settings, (typeof sharedKeys)[number]>),
    ...(isMade ? { lr: optimizer.lr } : {}),
    optimizer: isMade ? nameOfOptimizer(optimizer) : optimizer,
    schedule: isPlateau(schedule) ? 'constant' : checkedSchedule(schedule),
    ...{ shuffle: options.shuffle ?? true, capture: options.capture ?? true },
    classWeights: options.classWeights ?? null,
    isPretrained: run?.isPretrained ?? false,
  };
}

export function isPlateau(value: unknown): value is Plateau {
  return typeof value === 'object' && value !== null && 'update' in value;
}

function checkKeys(options: FitOptions): void {
  const names: readonly string[] = [...sharedKeys, ...otherKeys].filter((key) => key !== 'run');
  for (const key of Object.keys(options)) {
    if (key === 'run' || names.includes(key)) continue;
    throw new UsageError(
      `fit: no option named "${key}"`,
      didYouMean(key, names) ?? `there are ${names.join(', ')}`,
    );
  }
  if (!(options.optimizer instanceof Optimizer)) return;
  const given = optimizerKeys.filter((key) => (options[key] ?? undefined) !== undefined);
  if (given.length === 0) return;
  throw new UsageError(
    `fit: ${given.join(', ')} beside an optimizer that has its own`,
    'set it where the optimizer is made, or give the optimizer by its name',
  );
}

function checkedSchedule(schedule: unknown): string | Schedule {
  if (typeof schedule === 'function') return schedule as Schedule;
  return checked(
    'fit',
    'schedule',
    settings.find(({ key }) => key === 'schedule')!.kind,
    schedule,
  ) as string;
}

function augmentOf(
  augment: string | AugmentSettings | null | undefined,
): string | null | undefined {
  return typeof augment === 'object' && augment !== null ? augmentText(augment) : augment;
}

/** Errors: ShapeError if there is not one weight for each class. */
export function checkClassWeights({ classWeights }: FitSettings, classes: number): void {
  if (classWeights === null || classWeights.length === classes) return;
  throw new ShapeError(
    `fit: classWeights: expected [K=${classes}], a factor for each class, got [${classWeights.length}]`,
  );
}

/** The batches of an epoch from the given one on: the same for the same settings. */
export function epochBatches(
  train: ImageDataset,
  { batchSize, dropLast, seed, shuffle }: FitSettings,
  epoch: number,
  start: number,
): AsyncIterable<Batch> {
  const order = shuffle ? { shuffle: { seed, epoch } } : {};
  return batches(train, { batchSize, dropLast, ...order, start });
}
