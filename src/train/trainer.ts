import { join } from 'node:path';
import { batchCount, batches, type Batch, type ImageDataset } from '../data/index.js';
import type { Device } from '../device.js';
import { TrainingError } from '../errors.js';
import type { TrainingStatistics } from '../kernels/training_statistics.js';
import type { Module } from '../nn/index.js';
import { schedule, type Optimizer } from '../optim/index.js';
import { readState, writeCheckpoint, type Progress } from './checkpoint.js';
import { Classifier } from './classifier.js';
import { batchSizes, checkBatches } from './dry_run.js';
import { Evaluator, type Evaluation } from './evaluate.js';
import { firstNonFiniteTensor } from './finite.js';
import { Freezer } from './freeze.js';
import type { EpochMetrics } from './history.js';
import { LearningRate } from './learning_rate.js';
import {
  nonFiniteEvaluation,
  nonFiniteGradients,
  nonFiniteLoss,
  nonFiniteState,
  overflowingLoss,
  type FailingRun,
} from './non_finite.js';
import type { RunConfig } from './run_config.js';
import { RunLog } from './run_log.js';
import { TrainingStep } from './training_step.js';

export interface TrainerOptions {
  device: Device;
  model: Module;
  optimizer: Optimizer;
  config: RunConfig;
  train: ImageDataset;
  validation: ImageDataset;
  folder: string;
  progress: Progress;
  /** Milliseconds between checkpoints within an epoch. */
  checkpointEveryMs?: number;
  /** Runs steps without capturing them: slower, the same numbers. */
  isCaptured?: boolean;
}

export interface TrainerEvents {
  onProgress?(live: LiveProgress): void;
  onEpoch?(row: EpochMetrics): void;
  /** True when the run is to stop after the step at hand. */
  shouldStop?(): boolean;
}

/** What the live line shows. */
export interface LiveProgress {
  epoch: number;
  epochs: number;
  done: number;
  total: number;
  loss: number;
  accuracy: number;
  imagesPerSecond: number;
  phase: 'train' | 'validate';
}

/**
 * How a run ended: all epochs done; stopped early, as no epoch was better for a while or as
 * everything is learned by heart; or interrupted, to be resumed.
 */
export type RunEnd = 'done' | 'no better' | 'learned' | 'interrupted';

/** How often the GPU's totals are read for the live line. */
const READ_EVERY_MS = 500;
/** Steps that may be submitted before the oldest must be done. */
const STEPS_IN_FLIGHT = 2;

/** An epoch may have changed its length since: by other data, or a checkpoint that no run wrote. */
function checkPlace({ batch, epoch }: Progress, stepsPerEpoch: number): void {
  if (batch <= stepsPerEpoch) return;
  throw new TrainingError(
    `train: the checkpoint is at batch ${batch} of epoch ${epoch + 1}, which has only ${stepsPerEpoch} of them`,
    'go on with the data the run began with',
  );
}

/**
 * The training loop. A step is captured once and replayed for every full batch; totals stay on the
 * GPU and are read twice a second. After each interval `last.safetensors` holds everything that is
 * needed to go on with the same numbers as a run that was never stopped.
 *
 * Errors: TrainingError where a loss, the weights or the optimizer's state become NaN or infinite;
 * nothing of it is saved.
 */
export class Trainer {
  private readonly classifier: Classifier;
  private readonly step: TrainingStep;
  private readonly evaluator: Evaluator;
  private readonly freezer: Freezer;
  private readonly rate: LearningRate;
  private readonly log: RunLog;
  private readonly stepsPerEpoch: number;
  /** Steps that were done before this process took the run up. */
  private readonly resumedAt: number;
  /** What the last finished epoch gave on the validation set. */
  private latest: Evaluation | null = null;
  private lastCheckpoint = performance.now();

  constructor(
    private readonly options: TrainerOptions,
    private readonly events: TrainerEvents = {},
  ) {
    const { device, model, train, optimizer, config, progress, folder } = options;
    this.freezer = new Freezer(model, config.freeze);
    this.classifier = new Classifier(device, model, config);
    const sizes = batchSizes(config, train.size, options.validation.size);
    const isSetFree = config.unfreezeAfter !== null;
    checkBatches(this.classifier, sizes, (module) => isSetFree || !this.freezer.isFrozen(module));
    const stepSettings = { ...config, batchSize: sizes.full };
    this.step = new TrainingStep(
      this.classifier,
      optimizer,
      stepSettings,
      options.isCaptured ?? true,
    );
    this.evaluator = new Evaluator(this.classifier);
    this.stepsPerEpoch = batchCount(train.size, config.batchSize, config.dropLast);
    checkPlace(progress, this.stepsPerEpoch);
    this.rate = new LearningRate(config, this.stepsPerEpoch, progress.plateau);
    this.rate.checkGrowth();
    if (progress.lossScale) optimizer.scaler?.load(progress.lossScale);
    const { step, epoch } = progress;
    this.resumedAt = step;
    const resumedAt = step > 0 ? { epoch: epoch + 1, step: step + 1 } : null;
    this.log = new RunLog(folder, config.tensorboard, resumedAt);
  }

  /** Trains to the end, or until something stops it; says which. */
  async run(): Promise<RunEnd> {
    const { config, progress } = this.options;
    this.latest = null;
    if (this.resumedAt > 0) this.log.resume(progress);
    for (;;) {
      const end = this.endOfRun();
      if (end) return end;
      const isFrozen = config.unfreezeAfter === null || progress.epoch < config.unfreezeAfter;
      if (this.freezer.set(isFrozen)) this.step.recapture();
      this.freezer.train();
      if (!(await this.trainEpoch())) {
        await this.save(['last']);
        return 'interrupted';
      }
      await this.finishEpoch();
    }
  }

  dispose(): void {
    this.step.dispose();
    this.evaluator.dispose();
  }

  /** How the network does on the validation set, or on another. */
  async evaluate(dataset = this.options.validation): Promise<Evaluation> {
    // Nothing was trained since the last epoch was validated.
    if (dataset === this.options.validation && this.latest) return this.latest;
    return this.judge(dataset);
  }

  private endOfRun(): RunEnd | null {
    const { config, progress } = this.options;
    const { epochs, earlyStopping, overfit } = config;
    const last = progress.history.at(-1);
    // In training mode or in evaluation mode, where the running statistics of batch norm count.
    if (overfit && last && Math.max(last.accuracy, last.valAccuracy) === 1) return 'learned';
    if (progress.epoch >= epochs) return 'done';
    const isStale = earlyStopping !== null && progress.epochsSinceBest >= earlyStopping;
    return isStale ? 'no better' : null;
  }

  private async trainEpoch(): Promise<boolean> {
    const { config, train, device, progress } = this.options;
    const { batchSize, dropLast } = config;
    const { runtime } = device;
    this.step.reset({ ...progress.totals, steps: progress.step });
    const started = performance.now() - progress.epochSeconds * 1000;
    let lastRead = performance.now();
    let lastDone = progress.totals.count;
    let speed = 0;
    const flying: Promise<void>[] = [];
    const shuffle = { seed: config.seed, epoch: progress.epoch };
    const feed = batches(train, { batchSize, dropLast, shuffle, start: progress.batch });
    for await (const batch of this.timed(feed)) {
      if (progress.step === 0) await this.showBeginning(batch);
      this.options.optimizer.lr = this.rate.at(progress.step);
      this.step.run(batch);
      progress.batch++;
      progress.step++;
      flying.push(runtime.submittedDone());
      if (flying.length > STEPS_IN_FLIGHT) await flying.shift();
      const { validateEvery } = config;
      if (validateEvery !== null && progress.step % validateEvery === 0) {
        await this.validateWithinEpoch();
      }
      const now = performance.now();
      const mustStop = this.events.shouldStop?.() ?? false;
      if (now - lastRead < READ_EVERY_MS && !mustStop) continue;
      const totals = await this.readTotals(batch);
      const done = totals.count;
      const read = performance.now();
      speed = ((done - lastDone) / (read - lastRead)) * 1000;
      [lastRead, lastDone] = [read, done];
      progress.epochSeconds = (read - started) / 1000;
      this.report(totals, speed);
      if (mustStop) {
        await Promise.all(flying);
        return false;
      }
      if (read - this.lastCheckpoint > (this.options.checkpointEveryMs ?? 60_000)) {
        await this.save(['last']);
      }
    }
    await Promise.all(flying);
    await this.readTotals(null);
    progress.epochSeconds = (performance.now() - started) / 1000;
    return true;
  }

  /** The batches of a feed, with the time that was spent waiting for them put down. */
  private async *timed(feed: AsyncIterable<Batch>): AsyncGenerator<Batch> {
    const { progress } = this.options;
    const iterator = feed[Symbol.asyncIterator]();
    try {
      for (;;) {
        const asked = performance.now();
        const next = await iterator.next();
        progress.inputSeconds += (performance.now() - asked) / 1000;
        if (next.done) return;
        yield next.value;
      }
    } finally {
      await iterator.return?.();
    }
  }

  /** Reads the epoch's totals into the progress; throws where losses or gradients were not finite. */
  private async readTotals(batch: Batch | null): Promise<TrainingStatistics> {
    const { optimizer, progress } = this.options;
    const totals = await this.step.read();
    const scaler = optimizer.scaler && (await optimizer.scaler.read());
    const { badStep } = totals;
    // A loss that is not finite has such gradients too, so that the scale may reach its floor later.
    if (scaler?.halted && (badStep === null || scaler.halted.step < badStep)) {
      throw nonFiniteGradients(this.failing, scaler.halted);
    }
    if (badStep !== null) {
      throw await nonFiniteLoss(this.failing, badStep, batch?.images ?? null);
    }
    const { lossSum, correct, count } = totals;
    if (!Number.isFinite(lossSum)) throw overflowingLoss(this.failing);
    progress.totals = { lossSum, correct, count };
    progress.lossScale = scaler?.state ?? null;
    return totals;
  }

  /** For errors. */
  private get failing(): FailingRun {
    return { ...this.options, classifier: this.classifier, resumedAt: this.resumedAt };
  }

  private report(totals: TrainingStatistics, imagesPerSecond: number): void {
    const { config, progress } = this.options;
    this.events.onProgress?.({
      ...{ epoch: progress.epoch + 1, epochs: config.epochs, phase: 'train', imagesPerSecond },
      ...{ done: totals.count, total: this.imagesPerEpoch },
      ...{ loss: totals.lossSum / totals.count, accuracy: totals.correct / totals.count },
    });
  }

  private get imagesPerEpoch(): number {
    const { config, train } = this.options;
    return config.dropLast ? this.stepsPerEpoch * config.batchSize : train.size;
  }

  private async finishEpoch(): Promise<void> {
    const { config, progress, optimizer, model } = this.options;
    const { lossSum, correct, count } = progress.totals;
    const [loss, accuracy] = [lossSum / count, correct / count];
    const result = await this.validate({ loss, accuracy });
    const row: EpochMetrics = {
      ...{ epoch: progress.epoch + 1, loss, accuracy },
      ...{ valLoss: result.loss, valAccuracy: result.accuracy, learningRate: optimizer.lr },
      ...{ seconds: progress.epochSeconds, inputSeconds: progress.inputSeconds },
      imagesPerSecond: this.imagesPerEpoch / progress.epochSeconds,
    };
    this.latest = result;
    const isBetter = schedule.improves(result.loss, progress.bestLoss);
    progress.epochsSinceBest = isBetter ? 0 : progress.epochsSinceBest + 1;
    this.rate.epochDone(result.loss);
    progress.plateau = this.rate.state();
    progress.history.push(row);
    progress.epoch++;
    progress.batch = 0;
    progress.totals = { lossSum: 0, correct: 0, count: 0 };
    progress.epochSeconds = 0;
    progress.inputSeconds = 0;
    const isBest = this.isBest(result, config.bestBy);
    await this.save(isBest ? ['best', 'last'] : ['last']);
    this.log.epoch(row, progress.history);
    if (progress.lossScale) this.log.lossScale(progress.lossScale, row.epoch);
    await this.log.weights(model, row.epoch);
    this.events.onEpoch?.(row);
  }

  /** Runs the validation set; `live` is what the live line says of the training so far. */
  private async validate(live: { loss: number; accuracy: number }): Promise<Evaluation> {
    const { config, validation, progress } = this.options;
    return this.judge(validation, (done, total) =>
      this.events.onProgress?.({
        ...{ epoch: progress.epoch + 1, epochs: config.epochs, phase: 'validate' },
        ...{ done, total, ...live, imagesPerSecond: 0 },
      }),
    );
  }

  private async judge(
    dataset: ImageDataset,
    onBatch?: (done: number, total: number) => void,
  ): Promise<Evaluation> {
    const { config, validation, model } = this.options;
    model.eval();
    const { batchSize } = config;
    const result = await this.evaluator.run(
      dataset,
      onBatch ? { batchSize, onBatch } : { batchSize },
    );
    if (Number.isFinite(result.loss)) return result;
    const part = dataset === validation ? 'validation' : 'test';
    throw await nonFiniteEvaluation(this.failing, part, dataset, result);
  }

  private async validateWithinEpoch(): Promise<void> {
    const { progress } = this.options;
    const { lossSum, correct, count } = progress.totals;
    const result = await this.validate({ loss: lossSum / count, accuracy: correct / count });
    this.freezer.train();
    const { step } = progress;
    const epoch = step / this.stepsPerEpoch;
    progress.validations.push({ step, epoch, valLoss: result.loss, valAccuracy: result.accuracy });
    this.log.validation(progress.validations.at(-1)!, progress.validations);
  }

  /** Whether a validation is the best so far, which it then is remembered as. */
  private isBest({ loss, accuracy }: Evaluation, by: RunConfig['bestBy']): boolean {
    const { progress } = this.options;
    const isLower = schedule.improves(loss, progress.bestLoss);
    const isHigher = schedule.improves(accuracy, progress.bestAccuracy, { mode: 'max' });
    if (isLower) progress.bestLoss = loss;
    if (isHigher) progress.bestAccuracy = accuracy;
    return by === 'loss' ? isLower : isHigher;
  }

  private async showBeginning(batch: Batch): Promise<void> {
    const { config, model, train, device } = this.options;
    if (config.tensorboard !== 'all') return;
    const { random } = device.runtime;
    const { position } = random;
    const pixels = await this.classifier.pictures(batch.images);
    // The run's own draws are those it would have without TensorBoard.
    random.position = position;
    await this.log.begin(model, train, batch, { pixels, imageShape: config.imageShape });
  }

  private async save(names: readonly ('last' | 'best')[]): Promise<void> {
    const { model, optimizer, config, progress, folder, device } = this.options;
    progress.randomPosition = device.runtime.random.position;
    const state = await readState(model, optimizer);
    const broken = firstNonFiniteTensor(state.tensors);
    if (broken !== null) throw nonFiniteState(this.failing, broken);
    for (const name of names) {
      writeCheckpoint(join(folder, `${name}.safetensors`), state, config, progress);
    }
    this.lastCheckpoint = performance.now();
  }
}
