import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { limit as limitDataset, openDataset, split, type ImageDataset } from '../data/index.js';
import type { Device } from '../device.js';
import { TrainingError, UsageError } from '../gpu/errors.js';
import { writeError, writeFileAtomically } from '../io/atomic_file.js';
import { createModel } from '../models/index.js';
import type { Module } from '../nn/index.js';
import type { OperandType } from '../ops/mixed_precision.js';
import { createOptimizer, type Optimizer } from '../optim/index.js';
import { readCheckpoint, type Progress } from './checkpoint.js';
import type { Evaluation } from './evaluate.js';
import type { EpochMetrics } from './history.js';
import { recipeOf, type OptimizerName } from './recipes.js';
import { readRunConfig, type RunConfig } from './run_config.js';
import { tuneModel } from './tune_model.js';
import { freshProgress, Trainer, type LiveProgress } from './trainer.js';

/** What the command line may say about a run. */
export interface TrainRequest {
  data?: string;
  epochs?: number;
  batchSize?: number;
  lr?: number;
  optimizer?: OptimizerName;
  model?: string;
  seed?: number;
  limit?: number;
  dtype?: OperandType;
  out?: string;
  resume?: string;
  report?: boolean;
  tune?: boolean;
}

export interface TrainHost {
  openDevice(seed: number): Promise<Device>;
  say(text: string): void;
  onProgress(live: LiveProgress): void;
  onEpoch(row: EpochMetrics, epochs: number): void;
  shouldStop(): boolean;
}

export interface TrainOutcome {
  isFinished: boolean;
  /** What `--json` prints. */
  document: unknown;
  /** What is printed otherwise. */
  lines: string[];
}

interface Datasets {
  train: ImageDataset;
  validation: ImageDataset;
  /** The data's own test set, where it has one. */
  test: ImageDataset | null;
}

/** Trains from scratch or goes on with a run: the work behind `tilegrad train`. */
export async function runTraining(
  recipeName: string | undefined,
  request: TrainRequest,
  host: TrainHost,
): Promise<TrainOutcome> {
  const resumed =
    request.resume === undefined ? null : resumedRun(request.resume, recipeName, request);
  if (!resumed && recipeName === undefined) {
    throw new UsageError('train: expected a recipe', 'for example: tilegrad train mnist');
  }
  const plan = resumed ?? plannedRun(recipeName!, request);
  const datasets = await openDatasets(plan.config, request);
  const config: RunConfig = {
    ...plan.config,
    imageShape: datasets.train.imageShape,
    classNames: datasets.train.classNames,
  };
  const device = await host.openDevice(config.seed);
  try {
    return await trainOn(device, config, plan, datasets, request, host);
  } finally {
    await Promise.all([datasets.train, datasets.validation].map((dataset) => dataset.close()));
    device.destroy();
  }
}

interface RunPlan {
  config: RunConfig;
  folder: string;
  checkpoint: ReturnType<typeof readCheckpoint> | null;
}

function plannedRun(recipeName: string, request: TrainRequest): RunPlan {
  const recipe = recipeOf(recipeName);
  const data = request.data ?? recipe.data;
  if (data === null) {
    throw new UsageError(
      `train ${recipe.name}: expected --data`,
      'pass a folder with one folder of images a class',
    );
  }
  const config: RunConfig = {
    ...{ recipe: recipe.name, model: request.model ?? recipe.model, data },
    ...{ epochs: request.epochs ?? recipe.epochs, seed: request.seed ?? 0 },
    ...{ batchSize: request.batchSize ?? recipe.batchSize, limit: request.limit ?? null },
    ...{ optimizer: request.optimizer ?? recipe.optimizer, weightDecay: recipe.weightDecay },
    learningRates: request.lr === undefined ? recipe.learningRates : [request.lr],
    ...{ validationShare: recipe.validationShare, dtype: request.dtype ?? 'f32' },
    ...{ imageShape: [0, 0, 0], classNames: [] },
  };
  const folder = request.out ?? nextFolder(recipe.name);
  if (existsSync(join(folder, 'last.safetensors'))) {
    throw new UsageError(
      `train: ${folder} holds a run already`,
      `continue it with --resume ${folder}, or choose another --out`,
    );
  }
  return { config, folder, checkpoint: null };
}

/** Options that may change when a run goes on; the others would make it another run. */
const changeable = new Set([
  'resume',
  'epochs',
  'lr',
  'adapter',
  'json',
  'report',
  'debug',
  'data',
]);

function resumedRun(
  folder: string,
  recipeName: string | undefined,
  request: TrainRequest,
): RunPlan {
  const saved = readRunConfig(folder);
  if (recipeName !== undefined && recipeName !== saved.recipe) {
    throw new UsageError(`train: ${folder} is a run of recipe ${saved.recipe}, not ${recipeName}`);
  }
  const fixed = Object.keys(request).filter((name) => !changeable.has(name));
  if (fixed.length > 0) {
    throw new UsageError(
      `train: --resume goes on with the run's own settings, got --${fixed.join(', --')}`,
      'leave them out, or start a new run',
    );
  }
  const path = join(folder, 'last.safetensors');
  const checkpoint = existsSync(path) ? readCheckpoint(path) : null;
  const config = { ...(checkpoint?.config ?? saved) };
  if (request.data !== undefined) config.data = request.data;
  if (request.epochs !== undefined) config.epochs = request.epochs;
  if (request.lr !== undefined) config.learningRates = [request.lr];
  return { config, folder, checkpoint };
}

function nextFolder(recipe: string): string {
  const taken = existsSync('runs') ? readdirSync('runs') : [];
  for (let n = 1; ; n++)
    if (!taken.includes(`${recipe}-${n}`)) return join('runs', `${recipe}-${n}`);
}

async function openDatasets(config: RunConfig, request: TrainRequest): Promise<Datasets> {
  const recipe = recipeOf(config.recipe);
  const opened = await openDataset(config.data, {
    ...(recipe.imageSize ? { imageSize: recipe.imageSize } : {}),
    ...(recipe.channels ? { channels: recipe.channels } : {}),
    seed: config.seed,
  });
  const { seed } = config;
  let { train } = opened;
  let validation = opened.test ?? null;
  if (!validation) {
    const fraction = config.validationShare;
    const byGroup = train.groups !== undefined;
    const parts = split(train, { fraction, seed, stratified: true, byGroup });
    train = parts.train;
    validation = parts.validation;
  }
  if (config.limit !== null) {
    if (config.limit < train.size) {
      train = limitDataset(train, config.limit, { seed, stratified: true });
    }
    if (config.limit < validation.size) {
      validation = limitDataset(validation, config.limit, { seed, stratified: true });
    }
  }
  if (train.size < config.batchSize) {
    throw new TrainingError(
      `train: ${train.size} training images do not fill one batch of ${config.batchSize}`,
      `lower --batch-size${request.limit === undefined ? '' : ' or raise --limit'}`,
    );
  }
  return { train, validation, test: opened.test ? validation : null };
}

async function trainOn(
  device: Device,
  settings: RunConfig,
  { folder, checkpoint }: RunPlan,
  datasets: Datasets,
  request: TrainRequest,
  host: TrainHost,
): Promise<TrainOutcome> {
  const { imageShape, classNames } = settings;
  await chooseKernels(device, settings, request, host);
  const config: RunConfig = { ...settings, variants: device.runtime.choices.entries() };
  const model = createModel(device, config.model, {
    input: imageShape,
    classes: classNames.length,
  });
  const [learningRate] = config.learningRates;
  const optimizer = createOptimizer(config.optimizer, model.parameters(), {
    lr: learningRate,
    weightDecay: config.weightDecay,
  });
  const progress = restore(device, model, optimizer, checkpoint);
  try {
    mkdirSync(folder, { recursive: true });
  } catch (cause) {
    throw writeError(folder, cause);
  }
  writeFileAtomically(join(folder, 'config.json'), [`${JSON.stringify(config, null, 2)}\n`]);
  const parameters = [...model.parameters()].reduce((sum, p) => sum + p.size, 0);
  announce(device, config, datasets, parameters, progress, host);
  const trainer = new Trainer(
    { device, model, optimizer, config, folder, progress, ...datasets },
    {
      onProgress: (live) => host.onProgress(live),
      onEpoch: (row) => host.onEpoch(row, config.epochs),
      shouldStop: () => host.shouldStop(),
    },
  );
  const isFinished = await trainer.run();
  const lines: string[] = [];
  let test: Evaluation | null = null;
  if (isFinished) {
    test = await trainer.evaluate();
    const part = datasets.test ? 'test' : 'validation';
    if (request.report ?? true) {
      const { writeReport } = await import('./report/index.js');
      const [{ history }, { validation: dataset }] = [progress, datasets];
      const facts = { parameters, adapter: device.info.description, trainedAt: new Date() };
      const subject = { config, history, dataset, evaluation: test, part, facts } as const;
      const pictures = await writeReport(folder, subject);
      lines.push(...pictures.map((path) => `wrote ${path}`));
    }
    lines.unshift(
      `${part}: loss ${test.loss.toFixed(4)}, accuracy ${(100 * test.accuracy).toFixed(2)} % of ${test.count} images`,
    );
  } else lines.push(`stopped and saved; continue with: tilegrad train --resume ${folder}`);
  const document = {
    ...{ recipe: config.recipe, model: config.model, parameters },
    adapter: device.info.description,
    epochs: progress.history,
    ...(test && datasets.test ? { test: { loss: test.loss, accuracy: test.accuracy } } : {}),
    out: folder,
  };
  trainer.dispose();
  return { isFinished, document, lines };
}

/** A new run takes what was tuned for this adapter; one that goes on, what it began with. */
async function chooseKernels(
  device: Device,
  config: RunConfig,
  request: TrainRequest,
  host: TrainHost,
): Promise<void> {
  if (request.resume !== undefined) device.runtime.choices.replace(config.variants ?? {});
  else if (request.tune) {
    const { model, imageShape, classNames, batchSize, dtype = 'f32' } = config;
    const shapes = { model, imageShape, classes: classNames.length, batchSize, dtype };
    await tuneModel(device, shapes, (text) => host.say(text));
  }
}

function restore(
  device: Device,
  model: Module,
  optimizer: Optimizer,
  checkpoint: RunPlan['checkpoint'],
): Progress {
  if (!checkpoint) {
    return { ...freshProgress(), randomPosition: device.runtime.random.position };
  }
  model.loadStateDict(checkpoint.weights);
  optimizer.loadStateDict({ tensors: checkpoint.optimizer, scalars: checkpoint.scalars });
  device.runtime.random.position = checkpoint.progress.randomPosition;
  return checkpoint.progress;
}

function announce(
  device: Device,
  config: RunConfig,
  { train, validation, test }: Datasets,
  parameters: number,
  progress: Progress,
  host: TrainHost,
): void {
  const { info } = device;
  const kind = info.isSoftware ? ' (software: correct, not fast)' : '';
  host.say(`adapter  ${info.description}${kind}`);
  const tuned = device.runtime.choices.size;
  if (tuned > 0) host.say(`kernels  ${tuned} tuned choices`);
  host.say(
    `data     ${config.data}: ${train.size} training, ${validation.size} ${test ? 'test' : 'validation'} ` +
      `images of ${config.imageShape.join('×')}, ${config.classNames.length} classes`,
  );
  host.say(`model    ${config.model}: ${parameters.toLocaleString('en-US')} parameters`);
  if (progress.step > 0) {
    host.say(`resumed  at epoch ${progress.epoch + 1}, batch ${progress.batch + 1}`);
  }
}
