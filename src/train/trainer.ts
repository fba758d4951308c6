import { join } from 'node:path';
import { batches, type Batch, type ImageDataset } from '../data/index.js';
import type { Device } from '../device.js';
import type { GpuArray } from '../gpu/array.js';
import {
  newStatistics,
  readStatistics,
  recordStatistics,
  resetStatistics,
  type TrainingStatistics,
} from '../kernels/training_statistics.js';
import type { Module } from '../nn/index.js';
import type { Optimizer } from '../optim/index.js';
import { softmaxCrossEntropy } from '../ops/loss.js';
import { type Tensor } from '../tensor.js';
import { EventWriter } from '../io/tensorboard.js';
import { writeCheckpoint, type Progress } from './checkpoint.js';
import { Classifier } from './classifier.js';
import { Evaluator, type Evaluation } from './evaluate.js';
import { nonFiniteLoss } from './non_finite.js';
import { writeHistory, type EpochMetrics } from './history.js';
import { learningRateAt } from './recipes.js';
import type { RunConfig } from './run_config.js';

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

/** How often the GPU's totals are read for the live line. */
const READ_EVERY_MS = 500;
/** Steps that may be submitted before the oldest must be done. */
const STEPS_IN_FLIGHT = 2;

export function freshProgress(): Progress {
  return {
    ...{ epoch: 0, batch: 0, step: 0, totals: { lossSum: 0, correct: 0, count: 0 } },
    ...{ epochSeconds: 0, randomPosition: 0, bestAccuracy: -1, history: [] },
  };
}

/**
 * The training loop. A step is captured once and replayed for every full batch; totals stay on the
 * GPU and are read twice a second. After each interval `last.safetensors` holds everything that is
 * needed to go on with the same numbers as a run that was never stopped.
 */
export class Trainer {
  private readonly classifier: Classifier;
  private readonly statistics: GpuArray;
  private readonly captured;
  private readonly evaluator: Evaluator;
  /** What the last finished epoch gave on the validation set. */
  private latest: Evaluation | null = null;
  private eventWriter: EventWriter | null = null;
  private lastCheckpoint = performance.now();

  constructor(
    private readonly options: TrainerOptions,
    private readonly events: TrainerEvents = {},
  ) {
    const { device, model, train, optimizer } = options;
    this.classifier = new Classifier(device, model, train.imageShape, options.config.dtype);
    this.statistics = newStatistics(device.runtime);
    optimizer.guard = { array: this.statistics, word: 4 };
    this.captured = device.capture<[Uint8Array, Int32Array], Tensor>((images, labels) =>
      this.step(images, labels),
    );
    this.evaluator = new Evaluator(this.classifier);
  }

  /** Trains to the end, or until `shouldStop`; returns whether it reached the end. */
  async run(): Promise<boolean> {
    const { config, progress, model, optimizer } = this.options;
    this.latest = null;
    while (progress.epoch < config.epochs) {
      optimizer.lr = learningRateAt(config.learningRates, progress.epoch, config.epochs);
      model.train();
      if (!(await this.trainEpoch())) {
        await this.save('last');
        return false;
      }
      await this.finishEpoch();
    }
    return true;
  }

  dispose(): void {
    this.captured.dispose();
    this.evaluator.dispose();
    this.statistics.release();
  }

  /** How the network does on the validation set; that of the last epoch where nothing ran since. */
  async evaluate(): Promise<Evaluation> {
    const { model, validation, config } = this.options;
    model.eval();
    this.latest ??= await this.evaluator.run(validation, { batchSize: config.batchSize });
    return this.latest;
  }

  /** One step of training on packed images; leaves the loss in a tensor. */
  private step(images: Tensor, labels: Tensor): Tensor {
    const { optimizer, device } = this.options;
    const logits = this.classifier.logits(images);
    const loss = softmaxCrossEntropy(logits, labels);
    recordStatistics(
      device.runtime,
      this.statistics,
      logits.gpuArray,
      labels.gpuArray,
      loss.gpuArray,
    );
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    return loss;
  }

  private async trainEpoch(): Promise<boolean> {
    const { config, train, device, progress } = this.options;
    const { runtime } = device;
    resetStatistics(runtime, this.statistics, { ...progress.totals, steps: progress.step });
    const started = performance.now() - progress.epochSeconds * 1000;
    let lastRead = performance.now();
    let lastDone = progress.totals.count;
    let speed = 0;
    const flying: Promise<void>[] = [];
    const shuffle = { seed: config.seed, epoch: progress.epoch };
    const feed = batches(train, { batchSize: config.batchSize, shuffle, start: progress.batch });
    for await (const batch of feed) {
      this.runStep(batch);
      progress.batch++;
      progress.step++;
      flying.push(runtime.submittedDone());
      if (flying.length > STEPS_IN_FLIGHT) await flying.shift();
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
        await this.save('last');
      }
    }
    await Promise.all(flying);
    await this.readTotals(null);
    progress.epochSeconds = (performance.now() - started) / 1000;
    return true;
  }

  private runStep(batch: Batch): void {
    const { config, device } = this.options;
    const isFull = batch.size === config.batchSize;
    if (isFull && (this.options.isCaptured ?? true)) this.captured(batch.images, batch.labels);
    else {
      device.scope(() => {
        this.step(device.tensor(batch.images), device.tensor(batch.labels));
      });
    }
    device.runtime.flush();
  }

  /** Reads the epoch's totals into the progress; throws where a loss was not finite. */
  private async readTotals(batch: Batch | null): Promise<TrainingStatistics> {
    const { device, progress } = this.options;
    const totals = await readStatistics(device.runtime, this.statistics);
    if (totals.badStep !== null) {
      throw await nonFiniteLoss(this.classifier, this.options, totals.badStep, batch);
    }
    progress.totals = {
      lossSum: totals.lossSum,
      correct: totals.correct,
      count: totals.count,
    };
    return totals;
  }

  private report(totals: TrainingStatistics, imagesPerSecond: number): void {
    const { config, train, progress } = this.options;
    this.events.onProgress?.({
      ...{ epoch: progress.epoch + 1, epochs: config.epochs, phase: 'train', imagesPerSecond },
      ...{ done: totals.count, total: train.size },
      ...{ loss: totals.lossSum / totals.count, accuracy: totals.correct / totals.count },
    });
  }

  private async finishEpoch(): Promise<void> {
    const { config, train, validation, model, progress, optimizer, folder } = this.options;
    const { lossSum, correct, count } = progress.totals;
    const [loss, accuracy] = [lossSum / count, correct / count];
    model.eval();
    const result = await this.evaluator.run(validation, {
      batchSize: config.batchSize,
      onBatch: (done, total) =>
        this.events.onProgress?.({
          ...{ epoch: progress.epoch + 1, epochs: config.epochs, phase: 'validate' },
          ...{ done, total, loss, accuracy, imagesPerSecond: 0 },
        }),
    });
    const row: EpochMetrics = {
      ...{ epoch: progress.epoch + 1, loss, accuracy },
      ...{ valLoss: result.loss, valAccuracy: result.accuracy, learningRate: optimizer.lr },
      seconds: progress.epochSeconds,
      imagesPerSecond: train.size / progress.epochSeconds,
    };
    this.latest = result;
    progress.history.push(row);
    progress.epoch++;
    progress.batch = 0;
    progress.totals = { lossSum: 0, correct: 0, count: 0 };
    progress.epochSeconds = 0;
    const isBest = result.accuracy > progress.bestAccuracy;
    if (isBest) progress.bestAccuracy = result.accuracy;
    if (isBest) await this.save('best');
    await this.save('last');
    writeHistory(folder, progress.history);
    this.writeEvents(row);
    this.events.onEpoch?.(row);
  }

  private writeEvents(row: EpochMetrics): void {
    const { folder } = this.options;
    this.eventWriter ??= new EventWriter(join(folder, 'events'));
    const { epoch, ...values } = row;
    for (const [name, value] of Object.entries(values)) {
      this.eventWriter.scalar(`epoch/${name}`, value, epoch);
    }
  }

  private async save(name: 'last' | 'best'): Promise<void> {
    const { model, optimizer, config, progress, folder, device } = this.options;
    progress.randomPosition = device.runtime.random.position;
    const path = join(folder, `${name}.safetensors`);
    await writeCheckpoint(path, model, optimizer, config, progress);
    this.lastCheckpoint = performance.now();
  }
}
