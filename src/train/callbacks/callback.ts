import type { ImageDataset } from '../../data/index.js';
import type { Device } from '../../device.js';
import type { Module } from '../../nn/index.js';
import type { LossScaleState, Optimizer, Plateau } from '../../optim/index.js';
import type { Evaluation } from '../evaluate.js';
import type { EpochMetrics, ValidationMetrics } from '../history.js';

/**
 * How a run ended: `done`, all epochs; `no better`, no epoch was better for a while; `learned`, every
 * training image is right; `stopped`, a callback asked for it; `interrupted`, its signal was aborted.
 */
export type FitEnd = 'done' | 'no better' | 'learned' | 'stopped' | 'interrupted';

/** One step of training. */
export interface StepMetrics {
  /** Counted from 1 since the run began. */
  step: number;
  /** Counted from 1. */
  epoch: number;
  /** The mean over the batch, before the step's update. */
  loss: number;
  learningRate: number;
}

/** Where a run stands within an epoch, as a live display shows it. */
export interface LiveProgress {
  /** Counted from 1. */
  epoch: number;
  epochs: number;
  /** Images done, of how many. */
  done: number;
  total: number;
  /** Means over the epoch so far. */
  loss: number;
  accuracy: number;
  imagesPerSecond: number;
  phase: 'train' | 'validate';
}

/** A validation, at the end of an epoch or within one. */
export interface ValidationResult extends ValidationMetrics {
  isWithinEpoch: boolean;
  /** Predictions, probabilities and losses of every image. */
  evaluation: Evaluation;
}

/** A run as its callbacks see it. */
export interface FitRun {
  readonly device: Device;
  readonly model: Module;
  readonly optimizer: Optimizer;
  readonly train: ImageDataset;
  readonly validation: ImageDataset | null;
  readonly epochs: number;
  readonly stepsPerEpoch: number;
  /** Epochs, batches of the running epoch, and steps that are done. */
  readonly epoch: number;
  readonly batch: number;
  readonly step: number;
  /** The steps that were done before this call of fit: more than 0 where it resumes a run. */
  readonly resumedAt: number;
  /** The learning rate that a schedule begins with, and that of the next step. */
  readonly baseLearningRate: number;
  readonly learningRate: number;
  /** A row for each epoch, with those from before the run was resumed. */
  readonly history: readonly EpochMetrics[];
  /** Validations within epochs. */
  readonly validations: readonly ValidationMetrics[];
  /** Of a run whose operands are f16. */
  readonly lossScale: LossScaleState | null;
  /** The run folder. */
  readonly out: string | null;
  /** Ends the run after the step at hand, or before the next epoch. Default reason: 'stopped'. */
  stop(reason?: Exclude<FitEnd, 'done' | 'interrupted'>): void;
  /**
   * Writes checkpoints: weights, optimizer and progress. Each file is replaced in one step.
   *
   * Errors: TrainingError if any value is NaN or infinite; nothing is written then.
   */
  save(...paths: string[]): Promise<void>;
  /** @internal Takes the learning rate from a plateau from now on. */
  follow(plateau: Plateau): void;
  /** @internal The first batch as the network gets it, to be looked at. */
  firstPictures(): Promise<FirstPictures>;
}

/** Images as the network gets them, as bytes [N H W C] to be looked at. */
export interface FirstPictures {
  pixels: Uint8Array;
  labels: Int32Array;
  imageShape: readonly [number, number, number];
}

/** Nothing, or a promise that is waited for. */
type Maybe = unknown;

/**
 * What a program wants to do while `fit` trains. Every method is optional and may be async; training
 * waits for it. An object with some of these methods will do in place of a subclass.
 *
 * For each event the callbacks are called in the order in which they were given, after those of
 * tilegrad that decide about the run (`earlyStopping`, `reduceOnPlateau`) and save it (`checkpoint`).
 * Where a method throws, the run is saved if it has a folder, and `fit` fails with a CallbackError.
 *
 * @example
 * class Losses extends Callback {
 *   values = [];
 *   onStep({ loss }) {
 *     this.values.push(loss);
 *   }
 * }
 */
export abstract class Callback {
  /** Before the first step, once everything has been checked. */
  onBegin?(run: FitRun): Maybe;
  /**
   * After each step, in order, a little late: losses stay on the GPU and are read twice a second, so
   * that this costs no read-back of its own.
   */
  onStep?(step: StepMetrics, run: FitRun): Maybe;
  /** Twice a second while training, and after each batch that is validated on. */
  onProgress?(live: LiveProgress, run: FitRun): Maybe;
  /** After each validation: those within epochs, and that of each epoch, before its `onEpoch`. */
  onValidation?(result: ValidationResult, run: FitRun): Maybe;
  /** After each epoch. */
  onEpoch?(row: EpochMetrics, run: FitRun): Maybe;
  /** When the run has ended without an error. */
  onEnd?(end: FitEnd, run: FitRun): Maybe;
}

/** A callback of this program; its errors are told as they are. */
export abstract class OwnCallback extends Callback {
  /** Those that decide about a run come before those that save it, and these before all others. */
  readonly turn: 'decide' | 'save' | 'tell' = 'tell';
}
