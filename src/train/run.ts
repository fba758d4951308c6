import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Device } from '../device.js';
import { WriteError, writeFileAtomically } from '../io/atomic_file.js';
import { createModel } from '../models/index.js';
import { moduleGraph, recomputeSegments, type Module } from '../nn/index.js';
import { expectOperands } from '../ops/mixed_precision.js';
import {
  earlyStopping,
  OwnCallback,
  tensorBoard,
  type Callback,
  type FitEnd,
  type FitRun,
} from './callbacks/index.js';
import { Classifier } from './classifier.js';
import type { Evaluation } from './evaluate.js';
import { fit } from './fit.js';
import type { FitOptions } from './fit_options.js';
import { sharedKeys } from './fit_settings.js';
import { setDropout } from './freeze.js';
import type { EpochMetrics } from './history.js';
import { judgeRun } from './judging.js';
import { modelOptions, type InForce, type RunConfig } from './run_config.js';
import { openRunData, type RunData } from './run_data.js';
import { claimRun, withInitialWeights, type RunPlan, type TrainRequest } from './run_plan.js';
import {
  announcement,
  checkpointText,
  endLines,
  inputLine,
  notesOf,
  parameterCount,
  resultLines,
  skippedLines,
  skippedText,
  trainedCount,
  type Judged,
} from './run_text.js';
import { RunWatch } from './run_watch.js';
import { tuneModel } from './tune_model.js';

export interface TrainHost {
  openDevice(seed: number): Promise<Device>;
  say(text: string): void;
  onDecoded(done: number, total: number): void;
  /** What is to be called while it trains. */
  callbacks?: readonly Callback[];
  /** Runs the steps, the part of a run that can stop in good order. */
  stoppable?<T>(work: () => Promise<T>): Promise<T>;
  signal?: { readonly aborted: boolean };
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
  const onDecoded = (done: number, total: number): void => host.onDecoded(done, total);
  const data = await openRunData(plan.config, onDecoded, plan.isOpen);
  for (const note of notesOf(plan.config, data)) host.say(`note     ${note}`);
  for (const line of skippedLines(data.skipped)) host.say(line);
  const { imageShape, classNames } = data;
  const sourceShape = data.train.imageShape;
  const fitted = { ...plan.config, ...data.fitted };
  const config: RunConfig = { ...fitted, imageShape, sourceShape, classNames };
  try {
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
  const { folder, checkpoint } = plan;
  await chooseKernels(device, plan, request, host);
  const config: RunConfig = { ...plan.config, variants: device.runtime.choices.entries() };
  const model = await buildModel(device, config, plan, data, host);
  const { train, validation } = data;
  const watch = new RunWatch();
  const beginning = new Beginning(folder, config, data, host);
  const callbacks = [beginning, watch, ...callbacksOf(folder, config)];
  const training = async () => {
    const history = await fit(
      model,
      { train, validation },
      {
        ...fitOptions(config),
        ...{ out: folder, callbacks: [...callbacks, ...(host.callbacks ?? [])] },
        signal: host.signal ?? null,
        run: { config, checkpoint, isPretrained: config.initFrom !== null },
      },
    );
    if (history.end === 'interrupted') return { history, final: null };
    const { signal } = host;
    return { history, final: await judgeRun(folder, config, history, { model, data, signal }) };
  };
  try {
    const { history, final } = await (host.stoppable?.(training) ?? training());
    const { epochs } = history;
    const end = final ? history.end : 'interrupted';
    const judged = final ?? lastValidated(watch, data);
    const pictures =
      judged && (request.report ?? true)
        ? await report(folder, config, epochs, judged, { device, model, data, watch, end })
        : [];
    return {
      isDone: end !== 'interrupted' && !(config.overfit && end !== 'learned'),
      document: {
        ...{ recipe: config.recipe, model: config.model, parameters: parameterCount(model) },
        ...{ adapter: device.info.description, end, epochs },
        ...(judged ? { checkpoint: judged.checkpoint } : {}),
        ...(judged?.part === 'test' ? { test: totals(judged.evaluation) } : {}),
        ...{ memory: device.memory, skipped: data.skipped, out: folder },
      },
      lines: [
        ...endLines(end, config, history, folder),
        ...(judged ? resultLines(judged) : []),
        ...inputLine(history),
        ...(data.skipped.length > 0 ? [skippedText(data.skipped.length)] : []),
        ...pictures.map((path) => `wrote ${path}`),
      ],
    };
  } catch (error) {
    throw error instanceof WriteError && error.isFull ? onFullDisk(error, folder) : error;
  }
}

/** The settings of a run that are options of fit. */
function fitOptions(config: RunConfig): FitOptions {
  const shared = Object.fromEntries(sharedKeys.map((key) => [key, config[key]]));
  const { optimizer, schedule, imageShape: input, classNames } = config;
  return { ...shared, optimizer, schedule, input, classNames };
}

function callbacksOf(folder: string, config: RunConfig): Callback[] {
  const { earlyStopping: patience, tensorboard: what, overfit } = config;
  return [
    ...(overfit ? [new LearnedByHeart()] : []),
    ...(patience === null ? [] : [earlyStopping({ patience })]),
    ...(what === 'off' ? [] : [tensorBoard({ folder: join(folder, 'events'), what })]),
  ];
}

/** Ends a run when every training image is right. */
export class LearnedByHeart extends OwnCallback {
  override readonly turn = 'decide';

  override onBegin(run: FitRun): void {
    const last = run.history.at(-1);
    if (!last || run.batch > 0) return;
    // In training mode or in evaluation mode, where the running statistics of batch norm count.
    if (Math.max(last.accuracy, last.valAccuracy ?? 0) === 1) run.stop('learned');
  }

  override onEpoch(_row: unknown, run: FitRun): void {
    this.onBegin(run);
  }
}

/** Writes `config.json` and says what the run is about, once all has been checked. */
class Beginning extends OwnCallback {
  constructor(
    private readonly folder: string,
    private readonly config: RunConfig,
    private readonly data: RunData,
    private readonly host: TrainHost,
  ) {
    super();
  }

  override onBegin(run: FitRun): void {
    const { folder, config, data, host } = this;
    config.inForce = inForce(config, run, data);
    writeFileAtomically(join(folder, 'config.json'), [`${JSON.stringify(config, null, 2)}\n`]);
    for (const line of announcement(run, config, data)) host.say(line);
  }
}

/** The last checkpoint is whole, so nothing has to be done twice. */
function onFullDisk(error: WriteError, folder: string): WriteError {
  return error.withFix(`free some space, then continue with --resume ${folder}`);
}

/** What the settings come to where the run begins, or goes on. */
function inForce(config: RunConfig, run: FitRun, data: RunData): InForce {
  const { train, validation, test, part } = data;
  return {
    optimizer: { name: config.optimizer, ...run.optimizer.settings },
    learningRate: run.learningRate,
    stepsPerEpoch: run.stepsPerEpoch,
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

/** The network with its initial weights, those of a file where the run begins with some. */
async function buildModel(
  device: Device,
  config: RunConfig,
  { initial }: RunPlan,
  data: RunData,
  host: TrainHost,
): Promise<Module> {
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
  return model;
}

/** What a run that was interrupted is judged by: the validation of its last finished epoch. */
function lastValidated({ validated }: RunWatch, data: RunData): Judged | null {
  if (!validated) return null;
  const { evaluation, epoch } = validated;
  const checkpoint = { name: 'last', epoch } as const;
  return { part: data.part, dataset: data.validation, evaluation, checkpoint };
}

interface Reported {
  device: Device;
  model: Module;
  data: RunData;
  watch: RunWatch;
  end: FitEnd;
}

function interruptedNote(end: FitEnd, { validated }: RunWatch): string[] {
  if (end !== 'interrupted' || !validated) return [];
  return [`the run was stopped; figures and pictures are those after epoch ${validated.epoch}`];
}

async function report(
  folder: string,
  config: RunConfig,
  history: readonly EpochMetrics[],
  judged: Judged,
  { device, model, data, watch, end }: Reported,
): Promise<string[]> {
  const { writeReport } = await import('./report/index.js');
  const facts = {
    ...{ parameters: parameterCount(model), trainableParameters: trainedCount(model) },
    ...{
      adapter: device.info.description,
      trainedAt: statSync(join(folder, 'last.safetensors')).mtime,
    },
    notes: [
      `Judged: the ${checkpointText(judged.checkpoint)}.`,
      ...interruptedNote(end, watch),
      ...notesOf(config, data),
      ...skippedLines(data.skipped),
    ],
    graph: moduleGraph(model, config.imageShape),
  };
  const historyPart = data.part;
  const paths = await writeReport(folder, {
    ...{ config, history, historyPart, steps: watch.steps, ...judged, facts },
  });
  // The first is the page, which holds all of it.
  return paths.slice(0, 1);
}

function totals({ loss, accuracy }: Evaluation): { loss: number; accuracy: number } {
  return { loss, accuracy };
}
