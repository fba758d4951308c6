import { dirname } from 'node:path';
import { kebab, optionName, trainerName, UsageError } from '../errors.js';
import { epochsSinceBest } from './history.js';
import { checkedValue, finite, object } from '../io/schema.js';
import type { Checkpoint, Checkpoint as CheckpointOf, Progress } from './checkpoint.js';
import { classNamesSchema, imageShapeSchema } from './file_schemas.js';
import type { FitSettings } from './fit_settings.js';
import { parseSchedule } from './learning_rate.js';
import type { RunConfig } from './run_config.js';
import type { Settings } from './settings.js';

/* A run that goes on: its settings, those that are given now, and what its checkpoint restores. */

/** Settings that may change when a run goes on; the others would make it another run. */
export const changeable: ReadonlySet<string> = new Set<keyof Settings>([
  ...(['data', 'epochs', 'lr', 'schedule', 'earlyStopping'] as const),
  ...(['validateEvery', 'tensorboard', 'recompute', 'checkpoint'] as const),
]);

/** Of those, what a run that has no epoch left has no use for. */
const forTraining = [
  ...(['lr', 'schedule', 'validateEvery', 'recompute', 'tensorboard'] as const),
] satisfies readonly (keyof Settings)[];

/**
 * What was in force when the run last went on. Settings that may change are those of config.json,
 * which is written at once; a checkpoint that was saved before has older ones.
 */
export function settingsBefore(saved: RunConfig, checkpoint: Checkpoint | null): RunConfig {
  if (!checkpoint) return saved;
  const newest = Object.entries(saved).filter(([name]) => changeable.has(name));
  return { ...checkpoint.config, ...Object.fromEntries(newest) };
}

/**
 * Makes what a checkpoint restores agree with the settings now in force.
 *
 * A plateau goes on with the rate that it has come to, unless `lr` was set since: then with that.
 */
export function restoredProgress(
  checkpoint: Checkpoint,
  config: RunConfig,
  given: Partial<Settings>,
): Progress {
  const { progress } = checkpoint;
  if (parseSchedule(config.schedule).name !== 'plateau') return { ...progress, plateau: null };
  const isNew = given.lr !== undefined || config.lr !== checkpoint.config.lr;
  const { plateau } = progress;
  return plateau && isNew ? { ...progress, plateau: { ...plateau, lr: config.lr } } : progress;
}

/**
 * Refuses what could not be used: fewer epochs than were done, and settings of training where none
 * is left to do.
 *
 * Errors: UsageError naming the options.
 */
export function checkResumed(
  folder: string,
  { epoch, batch, history }: Progress,
  { epochs, earlyStopping }: RunConfig,
  given: Partial<Settings>,
): void {
  checkEpochs(folder, { epoch, batch }, epochs);
  const isDone = epoch >= epochs;
  const isStale = earlyStopping !== null && epochsSinceBest(history, 'loss') >= earlyStopping;
  const unused = forTraining.filter((name) => given[name] !== undefined);
  if (unused.length === 0 || (!isDone && !isStale)) return;
  const flags = unused.map((name) => `--${kebab(name)}`).join(', ');
  throw new UsageError(
    isDone
      ? `train: ${folder} has done its ${epochs} epochs: nothing is left for ${flags} to change`
      : `train: ${folder} has stopped early: nothing is left for ${flags} to change`,
    isDone ? 'give it more --epochs too' : 'raise --early-stopping too',
  );
}

/** Errors: UsageError for fewer epochs than were begun. */
function checkEpochs(
  folder: string,
  { epoch, batch }: Pick<Progress, 'epoch' | 'batch'>,
  epochs: number,
): void {
  const begun = epoch + (batch > 0 ? 1 : 0);
  if (epochs >= begun) return;
  throw new UsageError(
    `${trainerName()}: ${optionName('epochs')} ${epochs}, but ${folder} is in epoch ${begun} already`,
    `give at least ${begun}`,
  );
}

/** Options of fit that make another run of one that goes on. */
const fixedOptions = [
  ...(['batchSize', 'dropLast', 'shuffle', 'seed', 'lossReduction', 'labelSmoothing'] as const),
  ...(['classWeights', 'clipNorm', 'augment', 'normalize', 'dtype'] as const),
  ...(['freeze', 'unfreezeAfter'] as const),
] satisfies readonly (keyof FitSettings)[];

/**
 * The checkpoint of a run that a program goes on with, checked against what it asks for now.
 *
 * Errors: UsageError for an option that has changed and may not; DataError for a damaged file.
 */
export function checkProgramRun(
  path: string,
  checkpoint: CheckpointOf<unknown>,
  now: FitSettings,
): CheckpointOf<SavedConfig> {
  const config = checkedValue(checkpoint.config, savedConfig, { where: path, field: 'config' });
  const { progress } = checkpoint;
  checkEpochs(dirname(path), progress, now.epochs);
  for (const key of fixedOptions) {
    const [was, is] = [config[key], now[key]].map((value) => JSON.stringify(value));
    // The command line has no such option.
    if (was === undefined || was === is) continue;
    throw new UsageError(
      `fit: ${dirname(path)} was trained with ${key}: ${was}, not ${is}`,
      `pass ${key}: ${was}, or choose another out`,
    );
  }
  const plateau =
    progress.plateau && config.lr !== now.lr
      ? { ...progress.plateau, lr: now.lr }
      : progress.plateau;
  return { ...checkpoint, config, progress: { ...progress, plateau } };
}

type SavedConfig = DataFacts & { lr: number } & Partial<Record<keyof FitSettings, unknown>>;

/** Of a run of a program, or of the command line. */
const savedConfig = object<SavedConfig>({
  ...{ imageShape: imageShapeSchema, sourceShape: imageShapeSchema, classNames: classNamesSchema },
  lr: finite,
});

type DataFacts = Pick<RunConfig, 'classNames' | 'imageShape' | 'sourceShape'>;

/**
 * Refuses to go on with other data than a run was trained on, as far as its checkpoint can tell.
 *
 * Errors: UsageError where classes, images or the steps of an epoch are others.
 */
export function checkSameData(
  folder: string,
  { config, progress }: { config: DataFacts; progress: Progress },
  now: DataFacts & { data: string },
  stepsPerEpoch: number,
): void {
  if (progress.step === 0) return;
  const problem = difference(config, now) ?? stepsDifference(progress, stepsPerEpoch);
  if (problem === null) return;
  throw new UsageError(
    `${trainerName()}: ${folder} was trained on other data than ${now.data}, it had ${problem}`,
    {
      program: 'pass the data it was trained on, or choose another out',
      commandLine: `pass the data it was trained on, or begin a new run with --init-from ${folder}`,
    },
  );
}

function difference(before: DataFacts, now: DataFacts): string | null {
  const [was, is] = [before.classNames, now.classNames];
  if (was.length !== is.length) return `${was.length} classes, not ${is.length}`;
  const k = was.findIndex((name, index) => name !== is[index]);
  if (k !== -1) return `"${was[k]}" as class ${k}, not "${is[k]}"`;
  for (const field of ['imageShape', 'sourceShape'] as const) {
    const [there, here] = [before[field].join('×'), now[field].join('×')];
    if (there !== here) return `images of ${there}, not ${here}`;
  }
  return null;
}

function stepsDifference({ epoch, batch, step }: Progress, now: number): string | null {
  // Where no epoch has ended, it is only known that one has as many steps as were done.
  if (epoch === 0) return batch <= now ? null : `at least ${batch} steps an epoch, not ${now}`;
  const before = (step - batch) / epoch;
  return before === now ? null : `${before} steps an epoch, not ${now}`;
}
