import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DataError, optionName, UsageError } from '../errors.js';
import { architectureMetadata } from '../io/model_file.js';
import {
  readSafetensors,
  writeSafetensors,
  type SafetensorsFile,
  type SavedTensor,
} from '../io/safetensors.js';
import { anything, checkedValue, parseChecked, record } from '../io/schema.js';
import { isDescribable } from '../models/architecture.js';
import type { Module } from '../nn/index.js';
import type { LossScaleState, Optimizer, PlateauState } from '../optim/index.js';
import { modelConfigSchema, progressSchema, scalarsSchema } from './file_schemas.js';
import { expectFinite } from './finite.js';
import { checkpointNames, type CheckpointName } from './settings_type.js';
import type { EpochMetrics, ValidationMetrics } from './history.js';
import { checkRunConfig, type ModelConfig, type RunConfig } from './run_config.js';

/** Where a run stands between two steps. */
export interface Progress {
  /** Epochs and batches done; the next batch is `batch` of `epoch`, both counted from 0. */
  epoch: number;
  batch: number;
  /** Steps since the run began. */
  step: number;
  /** Totals of the running epoch. */
  totals: { lossSum: number; correct: number; count: number };
  epochSeconds: number;
  /** Draws of the device's random stream. */
  randomPosition: number;
  /** What a plateau schedule remembers. */
  plateau: PlateauState | null;
  /** Of a run whose operands are f16. */
  lossScale: LossScaleState | null;
  history: EpochMetrics[];
  /** Validations within epochs. */
  validations: ValidationMetrics[];
  /** Seconds of the running epoch in which training waited for images. */
  inputSeconds: number;
}

/** Where a new run stands. */
export function freshProgress(randomPosition = 0): Progress {
  return {
    ...{ epoch: 0, batch: 0, step: 0, totals: { lossSum: 0, correct: 0, count: 0 } },
    ...{ epochSeconds: 0, inputSeconds: 0, randomPosition },
    ...{ plateau: null, lossScale: null },
    ...{ history: [], validations: [] },
  };
}

export interface Checkpoint<Config = RunConfig> {
  config: Config;
  progress: Progress;
  weights: Map<string, SavedTensor>;
  /** The optimizer's tensors and numbers. */
  optimizer: Map<string, SavedTensor>;
  scalars: Record<string, number>;
}

const OPTIMIZER_PREFIX = 'optimizer/';
const CHECKPOINT_FORMAT = 'tilegrad-checkpoint-1';
const WEIGHTS_FORMAT = 'tilegrad-weights-1';

/** Reads the values of named tensors back from the GPU. */
async function valuesOf(
  tensors: Iterable<[string, { shape: readonly number[]; data(): Promise<SavedTensor['data']> }]>,
): Promise<Map<string, SavedTensor>> {
  const values = new Map<string, SavedTensor>();
  for (const [name, tensor] of tensors) {
    values.set(name, { shape: [...tensor.shape], data: await tensor.data() });
  }
  return values;
}

/** All that a checkpoint holds of a network and its optimizer, read back from the GPU. */
export interface TrainedState {
  tensors: Map<string, SavedTensor>;
  scalars: Readonly<Record<string, number>>;
  /** For `load`; empty where the network has modules that are not registered. */
  architecture: Record<string, string>;
}

export async function readState(model: Module, optimizer: Optimizer): Promise<TrainedState> {
  const tensors = await valuesOf(model.stateDict());
  const { tensors: moments, scalars } = optimizer.stateDict();
  for (const [name, value] of await valuesOf(moments)) {
    tensors.set(`${OPTIMIZER_PREFIX}${name}`, value);
  }
  return {
    tensors,
    scalars,
    architecture: isDescribable(model) ? architectureMetadata(model) : {},
  };
}

/** Writes weights, optimizer state and progress; the file is replaced in one step or not at all. */
export function writeCheckpoint(
  path: string,
  { tensors, scalars, architecture }: TrainedState,
  config: object,
  progress: Progress,
): void {
  const metadata = {
    format: CHECKPOINT_FORMAT,
    config: JSON.stringify(config),
    progress: JSON.stringify(progress),
    optimizer: JSON.stringify(scalars),
    ...architecture,
  };
  writeSafetensors(path, { tensors, metadata });
}

/**
 * Reads a checkpoint back, whatever its config holds.
 *
 * Errors: DataError for a file that is missing, damaged, of another kind, or holds what no run wrote.
 */
export function readAnyCheckpoint(path: string): Checkpoint<unknown> {
  const { tensors, metadata } = readOwn(path, [CHECKPOINT_FORMAT]);
  const weights = new Map<string, SavedTensor>();
  const optimizer = new Map<string, SavedTensor>();
  for (const [name, tensor] of tensors) {
    if (name.startsWith(OPTIMIZER_PREFIX)) {
      optimizer.set(name.slice(OPTIMIZER_PREFIX.length), tensor);
    } else weights.set(name, tensor);
  }
  return {
    config: parseChecked(metadata.config, anything, { where: path, field: 'config' }),
    progress: parseChecked(metadata.progress, progressSchema, { where: path, field: 'progress' }),
    scalars: parseChecked(metadata.optimizer, scalarsSchema, { where: path, field: 'optimizer' }),
    ...{ weights, optimizer },
  };
}

/**
 * Reads a checkpoint of the command line back.
 *
 * Errors: those of readAnyCheckpoint; TrainingError for one of another version of this program.
 */
export function readCheckpoint(path: string): Checkpoint {
  const checkpoint = readAnyCheckpoint(path);
  const config = checkRunConfig(checkpoint.config, { where: path, field: 'config', newRun: path });
  return { ...checkpoint, config };
}

/** Errors: DataError where a checkpoint to go on with is not finite. */
export function expectFiniteCheckpoint(path: string, { weights, optimizer }: Checkpoint<unknown>) {
  const fix = `begin a new run with a lower ${optionName('lr')}`;
  expectFinite(path, weights, fix);
  expectFinite(path, optimizer, fix, 'the optimizer’s state is');
}

function readOwn(path: string, formats: readonly string[]): SafetensorsFile {
  const file = readSafetensors(path);
  const { format } = file.metadata;
  if (formats.includes(format)) return file;
  throw new DataError(
    `${path}: expected a checkpoint of this program, its metadata has format ${format ?? 'none'}`,
    'pass a run folder, or a file that `tilegrad train` wrote',
  );
}

export interface ModelFile {
  path: string;
  config: ModelConfig;
  weights: Map<string, SavedTensor>;
  /** Epochs it was trained for; null where the file does not say. */
  epoch: number | null;
}

/**
 * The weights of a run folder or of one file; see `checkpointIn` for which.
 *
 * Errors: DataError where the file is unreadable, or its weights are not finite.
 */
export function readModelFile(target: string, which?: CheckpointName): ModelFile {
  const path = checkpointIn(target, which);
  const { tensors, metadata } = readOwn(path, [WEIGHTS_FORMAT, CHECKPOINT_FORMAT]);
  const place = { where: path, field: 'config' };
  const saved = parseChecked(metadata.config, record(anything), place);
  if (saved.model === null) {
    throw new DataError(
      `${path}: a program trained it with a network of its own, which is known to that program alone`,
      'use it there: fit with resume, then evaluate or predict',
    );
  }
  const config = checkedValue(saved, modelConfigSchema, place);
  const isWeight = ([name]: [string, SavedTensor]): boolean => !name.startsWith(OPTIMIZER_PREFIX);
  const weights = new Map([...tensors].filter(isWeight));
  expectFinite(path, weights, 'train it again with a lower --lr');
  const where = { where: path, field: 'progress' };
  const epoch = metadata.progress
    ? parseChecked(metadata.progress, progressSchema, where).epoch
    : null;
  return { path, config, weights, epoch };
}

/** What of a run's config its weights need; paths and the like stay behind. */
const modelKeys = [
  'model',
  'shortcut',
  'imageShape',
  'sourceShape',
  'classNames',
  'dtype',
  'normalize',
];

/** Writes weights alone, with what their network is: for evaluation and prediction. */
export function writeModelFile(
  path: string,
  runConfig: ModelConfig,
  weights: ReadonlyMap<string, SavedTensor>,
): void {
  const entries = Object.entries(runConfig).filter(([key]) => modelKeys.includes(key));
  const config = Object.fromEntries(entries);
  const metadata = { format: WEIGHTS_FORMAT, config: JSON.stringify(config) };
  writeSafetensors(path, { tensors: weights, metadata });
}

/** `runs/mnist-1/best.safetensors, epoch 9`: the weights that an answer is from. */
export function modelFileText({ path, epoch }: Pick<ModelFile, 'path' | 'epoch'>): string {
  return epoch === null ? path : `${path}, epoch ${epoch}`;
}

/**
 * The file that a run folder, or a file, stands for: of a folder the checkpoint that is asked for, else
 * the one that the run was judged by, which is the best unless its settings say otherwise.
 *
 * Errors: DataError where it is not there; UsageError for a choice where there is only one file.
 */
export function checkpointIn(target: string, which?: CheckpointName): string {
  if (!existsSync(target)) {
    throw new DataError(
      `${target}: no such file or folder`,
      'pass a run folder, or a .safetensors file that `tilegrad train` wrote',
    );
  }
  if (!statSync(target).isDirectory()) {
    if (which === undefined) return target;
    throw new UsageError(
      `--checkpoint ${which}: ${target} is a file`,
      'leave it out, or name the folder of the run',
    );
  }
  const wanted = which ?? judgedBy(target);
  const others = which === undefined ? checkpointNames.filter((name) => name !== wanted) : [];
  for (const name of [wanted, ...others]) {
    const path = join(target, `${name}.safetensors`);
    if (existsSync(path)) return path;
  }
  throw new DataError(
    which === undefined
      ? `${target}: holds neither best.safetensors nor last.safetensors`
      : `${target}: holds no ${which}.safetensors`,
    'pass the folder of a run that has finished an epoch',
  );
}

/** Which checkpoint the settings of a run name. */
function judgedBy(folder: string): CheckpointName {
  const path = join(folder, 'config.json');
  if (!existsSync(path)) return 'best';
  try {
    const { checkpoint } = JSON.parse(readFileSync(path, 'utf8')) as { checkpoint?: unknown };
    return checkpoint === 'last' ? 'last' : 'best';
  } catch {
    // The weights can do without it.
    return 'best';
  }
}
