import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TrainingError, UsageError } from '../errors.js';
import { didYouMean } from '../gpu/nearest_name.js';
import { anything, checkedValue, record } from '../io/schema.js';
import type { AnyModelOptions } from '../models/index.js';
import { runConfigSchema } from './file_schemas.js';
import * as kind from './setting_kinds.js';
import { settings, type Settings } from './settings.js';

/** Everything that decides a run's numbers; written to `config.json` and into every checkpoint. */
export interface RunConfig extends Settings {
  recipe: string;
  data: string;
  /** What the network sees: height, width, channels. */
  imageShape: readonly [number, number, number];
  /** What images are read as; the GPU enlarges them where the network sees larger ones. */
  sourceShape: readonly [number, number, number];
  classNames: readonly string[];
  /** Kernels that were tuned when the run began; it keeps them when it goes on. */
  variants?: Readonly<Record<string, string>>;
  /** What the settings came to, with the defaults of optimizer and data filled in; nothing reads it. */
  inForce?: InForce;
}

/** What was in force when a run began, or went on. */
export interface InForce {
  /** Its name, and its options as they are used. */
  optimizer: Readonly<Record<string, string | number | boolean>>;
  /** Of the next step. */
  learningRate: number;
  stepsPerEpoch: number;
  /** Images of each part; what the run is validated on comes under its name. */
  images: Readonly<Record<string, number>>;
}

/** What a checkpoint says of its model: enough to build it again. */
export type ModelConfig = Pick<RunConfig, 'model' | 'imageShape' | 'classNames'> &
  Partial<
    Pick<
      RunConfig,
      'shortcut' | 'sourceShape' | 'dtype' | 'normalize' | 'minImages' | 'crop' | 'validateOn'
    >
  >;

/** What `createModel` builds the network of a config with. */
export function modelOptions({
  imageShape,
  classNames,
  shortcut,
}: Pick<ModelConfig, 'imageShape' | 'classNames' | 'shortcut'>): AnyModelOptions {
  return { input: imageShape, classes: classNames.length, shortcut: shortcut ?? undefined };
}

/** Keys that `config.json` holds beside the settings: whose they are, and what followed from them. */
const derivedKeys = ['recipe', 'imageShape', 'sourceShape', 'classNames', 'variants', 'inForce'];

/**
 * The settings in a config: what a run wrote to `config.json`, or a part of it. Dropout may come as
 * `keepProbability`, 1 minus its rate.
 *
 * Errors: UsageError for an unknown key, with the nearest known one, and for a wrong value.
 */
export function checkSettings(where: string, config: unknown): Partial<Settings> {
  if (typeof config !== 'object' || config === null || Array.isArray(config)) {
    throw new UsageError(`${where}: expected an object of settings, such as {"epochs": 10}`);
  }
  const found: Partial<Record<keyof Settings, unknown>> = {};
  for (const [key, value] of Object.entries(config)) {
    const known = settings.find((candidate) => candidate.key === key);
    if (known) {
      const isLeftOut = value === null && known.isOptional;
      found[known.key] = isLeftOut ? null : kind.checked(where, key, known.kind, value);
    } else if (key === 'keepProbability') {
      found.dropout = dropoutOf(where, config as Record<string, unknown>);
    } else if (!derivedKeys.includes(key)) throw unknownKey(where, key);
  }
  return found as Partial<Settings>;
}

function dropoutOf(where: string, config: Record<string, unknown>): number {
  if (config.dropout !== undefined && config.dropout !== null) {
    throw new UsageError(`${where}: got both dropout and keepProbability`, 'leave out one of them');
  }
  const keep = kind.checked(where, 'keepProbability', kind.positive, config.keepProbability);
  if (keep > 1) throw new UsageError(`${where}: keepProbability: expected at most 1, got ${keep}`);
  return kind.checked(where, 'keepProbability: dropout, 1 minus it', kind.share, 1 - keep);
}

function unknownKey(where: string, key: string): UsageError {
  const names = [...settings.map((candidate) => candidate.key), 'keepProbability', 'recipe'];
  return new UsageError(
    `${where}: no setting named "${key}"`,
    didYouMean(key, names) ?? `there are ${names.join(', ')}`,
  );
}

const variantNames: kind.Kind<Readonly<Record<string, string>>> = {
  expected: 'names of kernels by shape',
  parse: () => undefined,
  accepts: (value): value is Record<string, string> =>
    typeof value === 'object' &&
    value !== null &&
    Object.values(value).every((name) => typeof name === 'string'),
};

/** What `train --config FILE` asks for: settings, and perhaps a recipe. */
export interface ConfigFile {
  recipe?: string;
  settings: Partial<Settings>;
  variants?: Readonly<Record<string, string>>;
}

/**
 * Reads a config file: the `config.json` of a run, or any part of one.
 *
 * Errors: UsageError if the file is missing, is no JSON or holds what is no setting.
 */
export function readConfigFile(path: string): ConfigFile {
  const config = readJson(path, (problem) => new UsageError(`--config ${path}: ${problem}`));
  const found = checkSettings(path, config);
  const { recipe, variants } = config as Pick<RunConfig, 'recipe' | 'variants'>;
  if (variants !== undefined) kind.checked(path, 'variants', variantNames, variants);
  return {
    settings: found,
    ...(recipe === undefined ? {} : { recipe: kind.checked(path, 'recipe', kind.text, recipe) }),
    ...(variants === undefined ? {} : { variants }),
  };
}

/**
 * The config of a run, to continue with it.
 *
 * Errors: TrainingError if it is missing, damaged or of another version; DataError if it holds
 * what no run wrote.
 */
export function readRunConfig(folder: string): RunConfig {
  const path = join(folder, 'config.json');
  const config = readJson(
    path,
    (problem) =>
      new TrainingError(
        `${path}: ${problem}`,
        'pass the folder of a run, the one that `tilegrad train` named as its --out',
      ),
  );
  return checkRunConfig(config, { where: path, newRun: folder });
}

/** What a run noted of itself, checked. */
export function checkRunConfig(
  config: unknown,
  { where, field, newRun }: { where: string; field?: string; newRun: string },
): RunConfig {
  const fields = checkedValue(config, record(anything), { where, field });
  const missing = settings.find(({ key }) => fields[key] === undefined);
  if (missing) {
    throw new TrainingError(
      `${where}: lacks the setting "${missing.key}": the run is of another version of tilegrad`,
      `begin a new run with --init-from ${newRun}`,
    );
  }
  return checkedValue(config, runConfigSchema, { where, field });
}

function readJson(path: string, error: (problem: string) => Error): unknown {
  try {
    // Editors of some systems put a byte order mark in front.
    return JSON.parse(readFileSync(path, 'utf8').replace(/^\uFEFF/, '')) as unknown;
  } catch (cause) {
    const isMissing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    throw error(isMissing ? 'no such file' : `cannot be read: ${(cause as Error).message}`);
  }
}
