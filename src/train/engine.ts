import { batchCount, type Batch, type ImageDataset } from '../data/index.js';
import { TrainingError, trainerName } from '../errors.js';
import { LOSS_RING, type TrainingStatistics } from '../kernels/training_statistics.js';
import type { Plateau } from '../optim/index.js';
import type { Tensor } from '../tensor.js';
import type { FirstPictures, FitEnd, FitRun } from './callbacks/callback.js';
import { Checkpoint } from './callbacks/checkpoint.js';
import { CallbackError, Hooks } from './callbacks/hooks.js';
import { readState, writeCheckpoint, type Progress } from './checkpoint.js';
import { batchSizes, checkBatches } from './dry_run.js';
import { Evaluator, type Evaluation } from './evaluate.js';
import { firstNonFiniteTensor } from './finite.js';
import { epochBatches } from './fit_settings.js';
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
import { RunFacts, type EngineOptions } from './run_facts.js';
import { TrainingStep } from './training_step.js';

/** How a run ended, and what it came to: null for parts that are not there. */
export interface Ended {
  end: FitEnd;
  validation: Evaluation | null;
  test: Evaluation | null;
}

/** How often the GPU's totals are read. */
const READ_EVERY_MS = 500;
/** Steps that may be submitted before the oldest must be done. */
const STEPS_IN_FLIGHT = 2;
/** Thrown out of an evaluation that is broken off. */
const ABORTED = Symbol('aborted');

/** An epoch may have changed its length since: by other data, or a checkpoint that no run wrote. */
function checkPlace({ batch, epoch }: Progress, stepsPerEpoch: number): void {
  if (batch <= stepsPerEpoch) return;
  throw new TrainingError(
    `${trainerName()}: the checkpoint is at batch ${batch} of epoch ${epoch + 1}, which has only ${stepsPerEpoch} of them`,
    'go on with the data the run began with',
  );
}

/**
 * The training loop. A step is captured once and replayed for every full batch; totals and losses stay
 * on the GPU and are read twice a second. Everything else that is done meanwhile, callbacks do.
 *
 * Errors: TrainingError if a loss, the weights or the optimizer's state become NaN or infinite;
 * nothing of it is saved.
 */
export class Engine extends RunFacts implements FitRun {
  readonly stepsPerEpoch: number;
  private readonly hooks: Hooks;
  private readonly training: TrainingStep;
  private readonly evaluator: Evaluator;
  private readonly freezer: Freezer;
  private readonly rate: LearningRate;
  private readonly classWeights: Tensor | null;
  /** What the last finished epoch gave on the validation set; null once a step has followed. */
  private latest: Evaluation | null = null;
  private stopReason: FitEnd | null = null;
  /** Learning rates of the steps since the last read, where a callback wants to know of each. */
  private readonly rates: number[] | null;

  constructor(options: EngineOptions) {
    super(options);
    const { classifier, train, validation, optimizer, settings, progress } = options;
    const { device, model } = classifier;
    this.hooks = new Hooks(options.callbacks);
    this.rates = this.hooks.has('onStep') ? [] : null;
    this.freezer = new Freezer(model, settings.freeze);
    const sizes = batchSizes(settings, train.size, validation?.size ?? 0);
    const isSetFree = settings.unfreezeAfter !== null;
    checkBatches(classifier, sizes, (module) => isSetFree || !this.freezer.isFrozen(module));
    this.stepsPerEpoch = batchCount(train.size, settings.batchSize, settings.dropLast);
    checkPlace(progress, this.stepsPerEpoch);
    this.rate = new LearningRate(settings, this.stepsPerEpoch);
    this.rate.checkGrowth();
    if (progress.lossScale) optimizer.scaler?.load(progress.lossScale);
    const { classWeights } = settings;
    this.classWeights = classWeights && device.tensor([...classWeights]);
    const stepSettings = { ...settings, batchSize: sizes.full, classWeights: this.classWeights };
    this.training = new TrainingStep(classifier, optimizer, stepSettings, settings.capture);
    this.evaluator = new Evaluator(classifier);
  }

  get learningRate(): number {
    return this.rate.at(this.step);
  }

  stop(reason: FitEnd = 'stopped'): void {
    this.stopReason ??= reason;
  }

  follow(plateau: Plateau): void {
    this.rate.follow(plateau, this.options.progress.plateau);
  }

  async save(...paths: string[]): Promise<void> {
    const { optimizer, config, progress } = this.options;
    progress.randomPosition = this.device.runtime.random.position;
    progress.plateau = this.rate.state();
    const state = await readState(this.model, optimizer);
    const broken = firstNonFiniteTensor(state.tensors);
    if (broken !== null) throw nonFiniteState(this.failing, broken);
    for (const path of paths) writeCheckpoint(path, state, config, progress);
  }

  async firstPictures(): Promise<FirstPictures> {
    const { classifier, train, settings } = this.options;
    const { random } = this.device.runtime;
    const { position } = random;
    this.freezer.train();
    for await (const { images, labels } of epochBatches(train, settings, 0, 0)) {
      const pixels = await classifier.pictures(images);
      // The run's own draws are those it would have if nobody had looked.
      random.position = position;
      return { pixels, labels, imageShape: classifier.imageShape };
    }
    throw new TrainingError(`${trainerName()}: ${train.name} has no batch`);
  }

  /**
   * Trains to the end, or until something stops it, and evaluates on the parts that are there, unless
   * it was interrupted.
   *
   * Errors: CallbackError if a callback throws.
   */
  async run(test: ImageDataset | null): Promise<Ended> {
    try {
      return await this.runAll(test);
    } catch (error) {
      throw error instanceof CallbackError ? await this.rescued(error) : error;
    }
  }

  private async runAll(test: ImageDataset | null): Promise<Ended> {
    await this.hooks.call('onBegin', this);
    const end = await this.trainToEnd();
    const results = end === 'interrupted' ? null : await this.judgeAll(test);
    const ended: Ended = results
      ? { end, ...results }
      : { end: 'interrupted', validation: null, test: null };
    await this.hooks.call('onEnd', ended.end, this);
    return ended;
  }

  dispose(): void {
    this.training.dispose();
    this.evaluator.dispose();
    this.classWeights?.dispose();
  }

  private async trainToEnd(): Promise<FitEnd> {
    const { settings, progress, signal } = this.options;
    const { unfreezeAfter } = settings;
    if (signal?.aborted) return 'interrupted';
    while (this.stopReason === null && progress.epoch < settings.epochs) {
      const isFrozen = unfreezeAfter === null || progress.epoch < unfreezeAfter;
      if (this.freezer.set(isFrozen)) this.training.recapture();
      this.freezer.train();
      if (!(await this.trainEpoch())) return this.stopReason ?? 'interrupted';
      await this.finishEpoch();
    }
    return this.stopReason ?? 'done';
  }

  /** False where the epoch was broken off. */
  private async trainEpoch(): Promise<boolean> {
    const { settings, train, progress, signal } = this.options;
    const { validateEvery } = settings;
    this.latest = null;
    this.training.reset({ ...progress.totals, steps: progress.step });
    const started = performance.now() - progress.epochSeconds * 1000;
    let lastRead = performance.now();
    let lastDone = progress.totals.count;
    const flying: Promise<void>[] = [];
    const feed = epochBatches(train, settings, progress.epoch, progress.batch);
    for await (const batch of this.timed(feed)) {
      this.runBatch(batch);
      flying.push(this.device.runtime.submittedDone());
      if (flying.length > STEPS_IN_FLIGHT) await flying.shift();
      if (validateEvery !== null && progress.step % validateEvery === 0) {
        await this.validateWithinEpoch(batch);
      }
      const isAborted = signal?.aborted ?? false;
      const isFull = this.rates !== null && this.rates.length >= LOSS_RING;
      const isDue = performance.now() - lastRead >= READ_EVERY_MS || isFull;
      if (!isDue && !isAborted && this.stopReason === null) continue;
      const { count } = await this.readTotals(batch);
      const read = performance.now();
      const imagesPerSecond = ((count - lastDone) / (read - lastRead)) * 1000;
      [lastRead, lastDone] = [read, count];
      progress.epochSeconds = (read - started) / 1000;
      await this.report(imagesPerSecond);
      if (isAborted || this.stopReason !== null) {
        await Promise.all(flying);
        return false;
      }
    }
    await Promise.all(flying);
    await this.readTotals(null);
    progress.epochSeconds = (performance.now() - started) / 1000;
    return true;
  }

  private runBatch(batch: Batch): void {
    const { optimizer, progress } = this.options;
    optimizer.lr = this.rate.at(progress.step);
    this.rates?.push(optimizer.lr);
    this.training.run(batch);
    progress.batch++;
    progress.step++;
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
    const totals = await this.training.read();
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
    await this.reportSteps(totals);
    return totals;
  }

  /** Tells of the steps since the last read. */
  private async reportSteps({ steps, losses }: TrainingStatistics): Promise<void> {
    const rates = this.rates?.splice(0) ?? [];
    const epoch = this.epoch + 1;
    for (const [i, learningRate] of rates.entries()) {
      const step = steps - rates.length + i;
      const loss = losses[step % LOSS_RING];
      await this.hooks.call('onStep', { step: step + 1, epoch, loss, learningRate }, this);
    }
  }

  /** For errors. */
  private get failing(): FailingRun {
    return { ...this.options, model: this.model, resumedAt: this.resumedAt };
  }

  private async report(imagesPerSecond: number): Promise<void> {
    const { count } = this.options.progress.totals;
    await this.hooks.call(
      'onProgress',
      { ...this.live, phase: 'train', imagesPerSecond, done: count, total: this.imagesPerEpoch },
      this,
    );
  }

  /** What a live display shows of the training so far. */
  private get live() {
    const { lossSum, correct, count } = this.options.progress.totals;
    const { epoch, epochs } = this;
    return { epoch: epoch + 1, epochs, loss: lossSum / count, accuracy: correct / count };
  }

  private get imagesPerEpoch(): number {
    const { settings, train } = this.options;
    return settings.dropLast ? this.stepsPerEpoch * settings.batchSize : train.size;
  }

  private async finishEpoch(): Promise<void> {
    const { progress, optimizer } = this.options;
    const { loss, accuracy } = this.live;
    this.latest = await this.validate(false);
    const row: EpochMetrics = {
      ...{ epoch: progress.epoch + 1, loss, accuracy },
      ...{ valLoss: this.latest?.loss ?? null, valAccuracy: this.latest?.accuracy ?? null },
      ...{ learningRate: optimizer.lr, seconds: progress.epochSeconds },
      imagesPerSecond: this.imagesPerEpoch / progress.epochSeconds,
      inputSeconds: progress.inputSeconds,
    };
    progress.history.push(row);
    progress.epoch++;
    progress.batch = 0;
    progress.totals = { lossSum: 0, correct: 0, count: 0 };
    progress.epochSeconds = 0;
    progress.inputSeconds = 0;
    await this.hooks.call('onEpoch', row, this);
  }

  private async validateWithinEpoch(batch: Batch): Promise<void> {
    await this.readTotals(batch);
    await this.validate(true);
    this.freezer.train();
  }

  /** Runs the validation set, if there is one. */
  private async validate(isWithinEpoch: boolean): Promise<Evaluation | null> {
    const { validation, progress } = this.options;
    if (validation === null) return null;
    const { live } = this;
    const evaluation = await this.judge('validation', validation, (done, total) => {
      const now = { ...live, phase: 'validate', done, total, imagesPerSecond: 0 } as const;
      return this.hooks.call('onProgress', now, this);
    });
    const { step } = progress;
    const { loss: valLoss, accuracy: valAccuracy } = evaluation;
    const row = { step, epoch: step / this.stepsPerEpoch, valLoss, valAccuracy };
    if (isWithinEpoch) progress.validations.push(row);
    await this.hooks.call('onValidation', { ...row, isWithinEpoch, evaluation }, this);
    return evaluation;
  }

  /** Null if it was broken off. */
  private async judgeAll(test: ImageDataset | null): Promise<Omit<Ended, 'end'> | null> {
    const { validation, signal } = this.options;
    const onBatch = (): void => {
      // eslint-disable-next-line @typescript-eslint/only-throw-error -- no error: caught below
      if (signal?.aborted) throw ABORTED;
    };
    try {
      this.latest ??= validation && (await this.judge('validation', validation, onBatch));
      const tested = test && (await this.judge('test', test, onBatch));
      return { validation: this.latest, test: tested };
    } catch (cause) {
      if (cause === ABORTED) return null;
      throw cause;
    }
  }

  private async judge(
    part: 'validation' | 'test',
    dataset: ImageDataset,
    onBatch: (done: number, total: number) => void | Promise<void>,
  ): Promise<Evaluation> {
    this.model.eval();
    const { batchSize } = this.options.settings;
    const result = await this.evaluator.run(dataset, { batchSize, onBatch });
    if (Number.isFinite(result.loss)) return result;
    throw await nonFiniteEvaluation(this.failing, part, dataset, result);
  }

  /** The error of a callback, once the run is saved where it has a folder. */
  private async rescued(error: CallbackError): Promise<CallbackError> {
    const savers = this.options.callbacks.filter((one) => one instanceof Checkpoint);
    if (savers.length === 0 || this.step === this.resumedAt) return error;
    for (const saver of savers) await saver.save(this);
    const fix = 'the run is saved: mend the callback, then continue with resume: true';
    return new CallbackError(error.callback, error.hook, error.cause, fix);
  }
}
