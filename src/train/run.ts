import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Device } from '../device.js';
import { batchCount } from '../data/index.js';
import { WriteError, writeFileAtomically } from '../io/atomic_file.js';
import { createModel } from '../models/index.js';
import { recomputeSegments, type Module } from '../nn/index.js';
import { expectOperands } from '../ops/mixed_precision.js';
import type { Optimizer } from '../optim/index.js';
import { freshProgress, type Progress } from './checkpoint.js';
import { Classifier } from './classifier.js';
import { checkDiskSpace, checkpointBytes } from './disk_space.js';
import type { Evaluation } from './evaluate.js';
import { setDropout } from './freeze.js';
import { checkSameData } from './resume.js';
import type { EpochMetrics } from './history.js';
import { makeOptimizer } from './parameter_groups.js';
import { LearningRate } from './learning_rate.js';
import { modelOptions, type InForce, type RunConfig } from './run_config.js';
import { openRunData, type RunData } from './run_data.js';
import { claimRun, withInitialWeights, type RunPlan, type TrainRequest } from './run_plan.js';
import {
  announcement,
  endLines,
  inputLine,
  notesOf,
  parameterCount,
  resultLine,
  skippedLines,
  skippedText,
  trainedCount,
  type Judged,
} from './run_text.js';
import { tuneModel } from './tune_model.js';
import { Trainer, type LiveProgress } from './trainer.js';

export interface TrainHost {
  openDevice(seed: number): Promise<Device>;
  say(text: string): void;
  onProgress(live: LiveProgress): void;
  onEpoch(row: EpochMetrics, epochs: number): void;
  onDecoded(done: number, total: number): void;
  /** Runs the steps, the part of a run that can stop in good order. */
  stoppable?<T>(work: () => Promise<T>): Promise<T>;
  shouldStop(): boolean;
}

/** A plan whose folder is this run's own. */
type ClaimedPlan = RunPlan & { folder: string };

export interface TrainOutcome {
  /** False where the run was interrupted, or did not reach what it was to reach. */
  isDone: boolean;
  /** What `--json` prints. */
  document: unknown;
  /** What is printed otherwise. */
  lines: string[];
}

/** Trains from scratch or goes on with a run: the work behind `tilegrad train`. */
export async function runTraining(request: TrainRequest, host: TrainHost): Promise<TrainOutcome> {
  // Before the data, which may take minutes to decode: a file or an adapter that will not do is told
  // at once.
  const { plan, folder } = claimRun(request);
  try {
    const whole = { ...(await withInitialWeights(plan)), folder: folder.path };
    const device = await host.openDevice(plan.config.seed);
    try {
      expectOperands(device.runtime, plan.config.dtype);
      return await openAndTrain(device, whole, request, host);
    } finally {
      device.destroy();
    }
  } finally {
    folder.release();
  }
}

async function openAndTrain(
  device: Device,
  plan: ClaimedPlan,
  request: TrainRequest,
  host: TrainHost,
): Promise<TrainOutcome> {
  const data = await openRunData(plan.config, (done, total) => host.onDecoded(done, total));
  for (const note of notesOf(plan.config, data)) host.say(`note     ${note}`);
  for (const line of skippedLines(data.skipped)) host.say(line);
  const { imageShape, classNames } = data;
  const sourceShape = data.train.imageShape;
  const config: RunConfig = { ...plan.config, imageShape, sourceShape, classNames };
  try {
    if (plan.checkpoint) {
      checkSameData(plan.folder, plan.checkpoint, config, stepsPerEpoch(config, data));
    }
    return await trainOn(device, { ...plan, config }, data, request, host);
  } finally {
    await Promise.all(data.parts.map((part) => part.close()));
  }
}

async function trainOn(
  device: Device,
  plan: ClaimedPlan,
  data: RunData,
  request: TrainRequest,
  host: TrainHost,
): Promise<TrainOutcome> {
  const { folder } = plan;
  await chooseKernels(device, plan, request, host);
  const chosen: RunConfig = { ...plan.config, variants: device.runtime.choices.entries() };
  const { model, optimizer, progress } = await build(device, chosen, plan, data, host);
  const config: RunConfig = { ...chosen, inForce: inForce(chosen, optimizer, progress, data) };
  const { train, validation } = data;
  checkDiskSpace(folder, checkpointBytes(model, optimizer));
  const trainer = new Trainer(
    { device, model, optimizer, config, folder, progress, train, validation },
    {
      onProgress: (live) => host.onProgress(live),
      onEpoch: (row) => host.onEpoch(row, config.epochs),
      shouldStop: () => host.shouldStop(),
    },
  );
  writeFileAtomically(join(folder, 'config.json'), [`${JSON.stringify(config, null, 2)}\n`]);
  for (const line of announcement(device, config, data, model, progress)) host.say(line);
  try {
    const steps = () => trainer.run();
    const end = await (host.stoppable?.(steps) ?? steps());
    const isInterrupted = end === 'interrupted';
    const judged = isInterrupted ? null : await judge(trainer, data);
    const pictures =
      judged && (request.report ?? true)
        ? await report(folder, config, progress, judged, { device, model, data })
        : [];
    return {
      isDone: !isInterrupted && !(config.overfit && end !== 'learned'),
      document: {
        ...{ recipe: config.recipe, model: config.model, parameters: parameterCount(model) },
        ...{ adapter: device.info.description, end, epochs: progress.history },
        ...(judged?.part === 'test' ? { test: totals(judged.evaluation) } : {}),
        ...{ memory: device.memory, skipped: data.skipped, out: folder },
      },
      lines: [
        ...endLines(end, config, progress, folder),
        ...(judged ? [resultLine(judged)] : []),
        ...inputLine(progress),
        ...(data.skipped.length > 0 ? [skippedText(data.skipped.length)] : []),
        ...pictures.map((path) => `wrote ${path}`),
      ],
    };
  } catch (error) {
    throw error instanceof WriteError && error.isFull ? onFullDisk(error, folder) : error;
  } finally {
    trainer.dispose();
  }
}

/** The last checkpoint is whole, so nothing has to be done twice. */
function onFullDisk(error: WriteError, folder: string): WriteError {
  return error.withFix(`free some space, then continue with --resume ${folder}`);
}

function stepsPerEpoch({ batchSize, dropLast }: RunConfig, { train }: RunData): number {
  return batchCount(train.size, batchSize, dropLast);
}

/** What the settings come to where the run begins, or goes on. */
function inForce(
  config: RunConfig,
  optimizer: Optimizer,
  { step, plateau }: Progress,
  data: RunData,
): InForce {
  const steps = stepsPerEpoch(config, data);
  const { train, validation, test, part } = data;
  return {
    optimizer: { name: config.optimizer, ...optimizer.settings },
    learningRate: new LearningRate(config, steps, plateau).at(step),
    stepsPerEpoch: steps,
    images: {
      training: train.size,
      [part]: validation.size,
      ...(test ? { test: test.size } : {}),
    },
  };
}

/**
 * A new run takes what was tuned for this adapter, one with the settings of another run what that
 * one had; one that goes on has what it began with, even where tuning is off: its bits depend on it.
 */
async function chooseKernels(
  device: Device,
  { config, isResumed }: RunPlan,
  request: TrainRequest,
  host: TrainHost,
): Promise<void> {
  const { choices } = device.runtime;
  const { variants = {} } = config;
  if (isResumed || (config.variants && !choices.isTuningOff)) choices.replace(variants);
  if (isResumed && choices.isTuningOff && choices.size > 0) {
    host.say(`tuning is off, but this run goes on with the ${choices.size} choices it began with`);
  }
  if (!request.tune) return;
  const { model, imageShape, classNames, shortcut, batchSize, dtype } = config;
  const shapes = { model, imageShape, classes: classNames.length, shortcut, batchSize, dtype };
  await tuneModel(device, shapes, (text) => host.say(text));
}

/** The network, its optimizer and where the run stands: fresh, or as a checkpoint has them. */
async function build(
  device: Device,
  config: RunConfig,
  { checkpoint, initial }: RunPlan,
  data: RunData,
  host: TrainHost,
): Promise<{ model: Module; optimizer: Optimizer; progress: Progress }> {
  const { imageShape: input } = config;
  const model = createModel(device, config.model, modelOptions(config));
  if (config.dropout !== null) setDropout(model, config.dropout, config.model);
  if (config.recompute) recomputeSegments(model, input);
  if (initial) {
    const { initFrom } = await import('./init_from.js');
    const { mappingLines } = await import('../io/weights/index.js');
    const { loadingDoubts } = await import('./doubts.js');
    const mapping = await initFrom(model, initial, { input });
    for (const line of mappingLines(mapping)) host.say(line);
    const classifier = new Classifier(device, model, { ...config, augment: 'none' });
    const warning = await loadingDoubts(classifier, initial, mapping.values, data.train);
    if (warning) host.say(warning);
  }
  const optimizer = makeOptimizer(model, config);
  if (!checkpoint) {
    return { model, optimizer, progress: freshProgress(device.runtime.random.position) };
  }
  model.loadStateDict(checkpoint.weights);
  optimizer.loadStateDict({ tensors: checkpoint.optimizer, scalars: checkpoint.scalars });
  device.runtime.random.position = checkpoint.progress.randomPosition;
  return { model, optimizer, progress: checkpoint.progress };
}

async function judge(trainer: Trainer, { test, validation, part }: RunData): Promise<Judged> {
  const dataset = test ?? validation;
  const evaluation = await trainer.evaluate(dataset);
  return { part: test ? 'test' : part, dataset, evaluation };
}

async function report(
  folder: string,
  config: RunConfig,
  { history }: Progress,
  judged: Judged,
  { device, model, data }: { device: Device; model: Module; data: RunData },
): Promise<string[]> {
  const { writeReport } = await import('./report/index.js');
  const facts = {
    ...{ parameters: parameterCount(model), trainableParameters: trainedCount(model) },
    ...{
      adapter: device.info.description,
      trainedAt: statSync(join(folder, 'last.safetensors')).mtime,
    },
    notes: [...notesOf(config, data), ...skippedLines(data.skipped)],
  };
  const historyPart = data.part;
  const paths = await writeReport(folder, { config, history, historyPart, ...judged, facts });
  // The first is the page, which holds all of it.
  return paths.slice(0, 1);
}

function totals({ loss, accuracy }: Evaluation): { loss: number; accuracy: number } {
  return { loss, accuracy };
}
