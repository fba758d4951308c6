import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { batchCount, checkSameShape, type ImageDataset } from '../data/index.js';
import { DataError, TrainingError, trainerName, UsageError } from '../errors.js';
import type { Module } from '../nn/index.js';
import { LossScaler, Optimizer } from '../optim/index.js';
import {
  Checkpoint as CheckpointCallback,
  ReduceOnPlateau,
  Tables,
  type Callback,
} from './callbacks/index.js';
import {
  expectFiniteCheckpoint,
  freshProgress,
  readAnyCheckpoint,
  type Checkpoint,
} from './checkpoint.js';
import { classifierOf, type Classifier } from './classifier.js';
import { checkDiskSpace, checkpointBytes } from './disk_space.js';
import { checkOutputs } from './dry_run.js';
import { Engine } from './engine.js';
import type { FitData, FitOptions, History } from './fit_options.js';
import { checkClassWeights, fitSettings, isPlateau, type FitSettings } from './fit_settings.js';
import { plateauOf } from './learning_rate.js';
import { makeOptimizer } from './parameter_groups.js';
import { checkProgramRun, checkSameData } from './resume.js';
import { expectNoRun, RunFolder } from './run_folder.js';

interface Parts {
  train: ImageDataset;
  validation: ImageDataset | null;
  test: ImageDataset | null;
}

/**
 * Trains a network to tell classes of images apart, by softmax cross-entropy: `model` takes images
 * [N H W C], whose pixels are in [0, 1] (or normalised), and gives logits [N K], K the number of
 * classes. It trains in place, and afterwards is in evaluation mode with the weights of the last step;
 * those of the best epoch are in `best.safetensors`, where the run has a folder.
 *
 * On the same adapter the same seeds give the same numbers, bit for bit, also where a run was stopped
 * and resumed.
 *
 * Errors, all before the first step: UsageError for options that are wrong or do not go together, for
 * a folder that has a run or in which another one writes, and for a run to be resumed that had other
 * data or settings; ShapeError if network and data do not fit; DataError for data without an image;
 * LimitError if a batch is more than the adapter can bind; TrainingError if a batch norm would
 * get single values. Later: TrainingError if the loss, the weights or the optimizer's state become
 * NaN or infinite; CallbackError if a callback throws.
 *
 * @example
 * const data = await openDataset('builtin:digits', { seed: 1 });
 * const model = models.mnistCnn(device);
 * const history = await fit(model, data, { optimizer: 'adam', lr: 1e-3, epochs: 3, out: 'runs/digits' });
 * history.epochs.at(-1).valAccuracy; // of the validation images
 */
export async function fit(
  model: Module,
  data: FitData,
  options: FitOptions = {},
): Promise<History> {
  const settings = fitSettings(options);
  const parts = partsOf(data);
  const { classNames } = checkParts(parts, options, settings);
  const classifier = classifierOf(trainerName(), model, parts.train.imageShape, {
    ...options,
    augment: settings.augment,
  });
  checkOutputs(trainerName(), classifier, { name: parts.train.name, classNames }, true);
  checkClassWeights(settings, classNames.length);
  const optimizer = optimizerFor(model, options, settings);
  const folder = claim(options);
  try {
    return await train(classifier, optimizer, parts, options, settings);
  } finally {
    folder?.release();
    if (!(options.optimizer instanceof Optimizer)) optimizer.dispose();
  }
}

async function train(
  classifier: Classifier,
  optimizer: Optimizer,
  parts: Parts,
  options: FitOptions,
  settings: FitSettings,
): Promise<History> {
  const { device, model } = classifier;
  const { train, validation, test } = parts;
  const out = options.out ?? null;
  const config = options.run?.config ?? configOf(classifier, parts, options, settings);
  const checkpoint = resumed(options, settings, classifier, parts, config);
  const progress = checkpoint?.progress ?? freshProgress(device.runtime.random.position);
  if (checkpoint) {
    model.loadStateDict(checkpoint.weights);
    optimizer.loadStateDict({ tensors: checkpoint.optimizer, scalars: checkpoint.scalars });
    device.runtime.random.position = progress.randomPosition;
  }
  if (out !== null) checkDiskSpace(out, checkpointBytes(model, optimizer));
  const callbacks = [...(options.callbacks ?? []), ...ownCallbacks(options, settings)];
  const signal = options.signal ?? null;
  const engine = new Engine({
    ...{ classifier, optimizer, settings, train, validation, progress, callbacks, out, config },
    signal,
  });
  try {
    const ended = await engine.run(test);
    const { history: epochs, validations, step: steps } = progress;
    return { ...ended, epochs, validations, steps };
  } finally {
    engine.dispose();
    model.eval();
  }
}

function partsOf(data: FitData): Parts {
  if (typeof data !== 'object' || data === null) {
    throw new UsageError(
      `fit: expected a dataset, or { train, validation, test }, got ${String(data)}`,
      "open one: await openDataset('builtin:digits')",
    );
  }
  const { train, validation = null, test = null } = 'read' in data ? { train: data } : data;
  if (typeof (train as Partial<ImageDataset> | undefined)?.read === 'function')
    return { train, validation, test };
  throw new UsageError(
    'fit: the data have no part train',
    'pass a dataset, or { train, validation, test }: what openDataset returns',
  );
}

/** Errors: those about data by themselves; returns the names of the network's outputs. */
function checkParts(
  { train, validation, test }: Parts,
  options: FitOptions,
  { batchSize, dropLast }: FitSettings,
): { classNames: readonly string[] } {
  for (const part of [train, validation, test]) {
    if (part?.size === 0) throw new DataError(`${trainerName()}: ${part.name} has no images`);
    if (part === null || part === train) continue;
    checkSameShape(train, part);
    checkSameClasses(train, part);
  }
  if (batchCount(train.size, batchSize, dropLast) === 0) {
    throw new TrainingError(
      `fit: the ${train.size} training images do not fill one batch of ${batchSize}, and incomplete batches are left out`,
      `lower batchSize to at most ${train.size}, or leave out dropLast`,
    );
  }
  const classNames = options.classNames ?? train.classNames;
  if (classNames.length >= train.classNames.length) return { classNames };
  throw new UsageError(
    `fit: classNames: ${classNames.length} names, but ${train.name} has ${train.classNames.length} classes`,
    'name all outputs of the network',
  );
}

function checkSameClasses(train: ImageDataset, part: ImageDataset): void {
  const [expected, came] = [train.classNames, part.classNames];
  const k = came.findIndex((name, index) => name !== expected[index]);
  if (k === -1 && came.length <= expected.length) return;
  const what =
    came.length > expected.length
      ? `${came.length} classes, ${train.name} ${expected.length}`
      : `"${came[k]}" as class ${k}, ${train.name} "${expected[k]}"`;
  throw new DataError(
    `${trainerName()}: ${part.name} has ${what}`,
    'judge the network by data with the classes it is trained on',
  );
}

/** Errors: UsageError if an optimizer that is given trains nothing of the model. */
function optimizerFor(model: Module, options: FitOptions, settings: FitSettings): Optimizer {
  const { optimizer, lossScale } = options;
  if (!(optimizer instanceof Optimizer)) {
    const named = { ...settings, optimizer: settings.optimizer! };
    return makeOptimizer(model, named, lossScale ?? {});
  }
  if (![...model.parameters()].some((parameter) => optimizer.trains(parameter))) {
    throw new UsageError(
      `fit: the optimizer (${optimizer.constructor.name}) holds none of the parameters of the network`,
      'make it with model.parameters(), of the network that is trained',
    );
  }
  if (settings.dtype === 'f16' && !optimizer.scaler) new LossScaler(optimizer, lossScale ?? {});
  return optimizer;
}

/** The folder of the run, this call's own; null if there is none, or whoever calls has claimed it. */
function claim({ out, run, resume }: FitOptions): RunFolder | null {
  if (out === undefined || out === null) {
    if (!resume) return null;
    throw new UsageError(
      'fit: resume without a folder to go on in',
      'pass out: the folder of the run',
    );
  }
  if (run) return null;
  const folder = RunFolder.claim(out);
  try {
    if (!resume) expectNoRun(out);
    return folder;
  } catch (error) {
    folder.release();
    throw error;
  }
}

/** What the checkpoints of a program's run say of it; null is the name that its network does not have. */
function configOf(
  { imageShape, sourceShape }: Classifier,
  { train }: Parts,
  options: FitOptions,
  settings: FitSettings,
) {
  const { schedule } = settings;
  return {
    ...settings,
    ...{ model: null, data: train.name, imageShape, sourceShape },
    classNames: options.classNames ?? train.classNames,
    schedule: typeof schedule === 'string' ? schedule : null,
  };
}

/** Where the run goes on; null at its beginning. */
function resumed(
  options: FitOptions,
  settings: FitSettings,
  { imageShape, sourceShape }: Classifier,
  { train }: Parts,
  config: { data: string },
): Checkpoint<unknown> | null {
  const { run, resume, out } = options;
  const path = join(out ?? '', 'last.safetensors');
  let checkpoint: Checkpoint<unknown> | null = run?.checkpoint ?? null;
  if (!run && resume && existsSync(path)) {
    checkpoint = readAnyCheckpoint(path);
    expectFiniteCheckpoint(path, checkpoint);
    checkpoint = checkProgramRun(path, checkpoint, { ...config, ...settings });
  }
  if (!checkpoint) return null;
  const classNames = options.classNames ?? train.classNames;
  const now = { classNames, imageShape, sourceShape, data: config.data };
  const steps = batchCount(train.size, settings.batchSize, settings.dropLast);
  checkSameData(out!, checkpoint as Checkpoint, now, steps);
  return checkpoint;
}

function ownCallbacks({ out, schedule, callbacks }: FitOptions, settings: FitSettings): Callback[] {
  const own: Callback[] = [];
  const text = typeof settings.schedule === 'string' ? plateauOf(settings.schedule) : null;
  if (isPlateau(schedule)) own.push(new ReduceOnPlateau({ plateau: schedule }));
  else if (text) own.push(new ReduceOnPlateau({ ...text, by: 'loss' }));
  if (out === undefined || out === null) return own;
  const isSaved = callbacks?.some(
    (one) => one instanceof CheckpointCallback && (one.folder === null || one.folder === out),
  );
  if (!isSaved) own.push(new CheckpointCallback({ by: settings.bestBy }));
  return [...own, new Tables(out)];
}
