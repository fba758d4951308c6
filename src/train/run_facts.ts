import type { ImageDataset } from '../data/index.js';
import type { Device } from '../device.js';
import type { Module } from '../nn/index.js';
import type { LossScaleState, Optimizer } from '../optim/index.js';
import type { Callback } from './callbacks/callback.js';
import type { Progress } from './checkpoint.js';
import type { Classifier } from './classifier.js';
import type { FitSettings } from './fit_settings.js';
import type { EpochMetrics, ValidationMetrics } from './history.js';

export interface EngineOptions {
  classifier: Classifier;
  optimizer: Optimizer;
  settings: FitSettings;
  train: ImageDataset;
  validation: ImageDataset | null;
  progress: Progress;
  callbacks: readonly Callback[];
  /** The run folder. */
  out: string | null;
  /** What checkpoints say of the run beside its progress. */
  config: object;
  signal: { readonly aborted: boolean } | null;
}

/** What callbacks may know of a run. */
export abstract class RunFacts {
  /** Steps that were done before this process took the run up. */
  readonly resumedAt: number;

  constructor(protected readonly options: EngineOptions) {
    this.resumedAt = options.progress.step;
  }

  get device(): Device {
    return this.options.classifier.device;
  }

  get model(): Module {
    return this.options.classifier.model;
  }

  get optimizer(): Optimizer {
    return this.options.optimizer;
  }

  get train(): ImageDataset {
    return this.options.train;
  }

  get validation(): ImageDataset | null {
    return this.options.validation;
  }

  get out(): string | null {
    return this.options.out;
  }

  get epochs(): number {
    return this.options.settings.epochs;
  }

  get epoch(): number {
    return this.options.progress.epoch;
  }

  get batch(): number {
    return this.options.progress.batch;
  }

  get step(): number {
    return this.options.progress.step;
  }

  get history(): readonly EpochMetrics[] {
    return this.options.progress.history;
  }

  get validations(): readonly ValidationMetrics[] {
    return this.options.progress.validations;
  }

  get lossScale(): LossScaleState | null {
    return this.options.progress.lossScale;
  }

  get baseLearningRate(): number {
    return this.options.settings.lr;
  }
}
