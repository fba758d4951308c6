import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { kebab, TrainingError, UsageError } from '../errors.js';
import type { WeightFile } from '../io/weights/index.js';
import { expectShortcuts } from '../models/index.js';
import { expectFiniteCheckpoint, readCheckpoint, type Checkpoint } from './checkpoint.js';
import { namesRates } from './learning_rate.js';
import { recipeOf, recipeSettings, type Recipe } from './recipes.js';
import { changeable, checkResumed, restoredProgress, settingsBefore } from './resume.js';
import { readConfigFile, readRunConfig, type RunConfig } from './run_config.js';
import { expectNoRun, RunFolder } from './run_folder.js';
import type { Settings } from './settings.js';

/** What is asked of a run; `settings` are those that were given, the recipe has the others. */
export interface TrainRequest {
  recipe?: string;
  /** A file of settings; those given here come before it. */
  config?: string;
  settings: Partial<Settings>;
  /** Folder of the new run. */
  out?: string;
  /** Folder of a run to continue with. */
  resume?: string;
  report?: boolean;
  tune?: boolean;
}

/** A run before its data are opened: its shapes and class names follow from them. */
export interface RunPlan {
  config: RunConfig;
  /** Null for the next number below runs/. */
  folder: string | null;
  /** Where the run goes on; null at its beginning. */
  checkpoint: Checkpoint | null;
  /** What a new run begins with, of `--init-from`. */
  initial?: WeightFile | undefined;
  /** Whether nobody has said what a setting is to be, so that it may be fitted to the pictures. */
  isOpen?: (key: keyof Settings) => boolean;
  isResumed: boolean;
}

/** Decides what is run: a new run of a recipe or a config file, or one that goes on. */
export function planRun(request: TrainRequest): RunPlan {
  return request.resume === undefined
    ? plannedRun(request)
    : resumedRun({ ...request, resume: request.resume });
}

function plannedRun(request: TrainRequest): RunPlan {
  const file = request.config === undefined ? { settings: {} } : readConfigFile(request.config);
  const recipeName = request.recipe ?? file.recipe;
  if (recipeName === undefined) {
    throw new UsageError('train: expected a recipe', 'for example: tilegrad train mnist');
  }
  const recipe = recipeOf(recipeName);
  const given = { ...file.settings, ...withChannels(request.settings, recipe) };
  const settings = {
    ...{ ...recipeSettings(recipe), ...given },
    ...constantRate(recipe.settings.schedule, file.settings),
    ...constantRate(file.settings.schedule ?? recipe.settings.schedule, request.settings),
  };
  checkUsed(settings, request.settings);
  const { data } = settings;
  if (data === null) {
    throw new UsageError(
      `train ${recipe.name}: expected --data`,
      'pass a folder with one folder of images a class',
    );
  }
  if (settings.shortcut !== null) expectShortcuts(settings.model);
  const config: RunConfig = {
    recipe: recipe.name,
    ...(settings.overfit ? withoutRegularisation(settings, given, recipe) : settings),
    ...{ data, imageShape: [0, 0, 0], sourceShape: [0, 0, 0], classNames: [] },
    ...(file.variants ? { variants: file.variants } : {}),
  };
  const plan = { config, folder: request.out ?? null, checkpoint: null, isResumed: false };
  if (!recipe.isFitted) return plan;
  const isOpen = (key: keyof Settings): boolean =>
    given[key] === undefined && (key === 'input' || !settings.overfit);
  return { ...plan, isOpen };
}

/** Plans a run and claims its folder: before anything in it is read, which another may change. */
export function claimRun(request: TrainRequest): { plan: RunPlan; folder: RunFolder } {
  const { resume } = request;
  if (resume !== undefined) {
    readRunConfig(resume);
    return claimed(RunFolder.claim(resume), () => planRun(request));
  }
  const plan = planRun(request);
  if (plan.folder === null) {
    return { plan, folder: RunFolder.claimNext('runs', plan.config.recipe) };
  }
  return claimed(RunFolder.claim(plan.folder), ({ path }) => {
    expectNoRun(path);
    return plan;
  });
}

/** What `planned` gives, with the folder; that is released where it throws. */
function claimed(folder: RunFolder, planned: (folder: RunFolder) => RunPlan) {
  try {
    return { plan: planned(folder), folder };
  } catch (error) {
    folder.release();
    throw error;
  }
}

/**
 * The plan with the weights of `--init-from`, read before anything else is done.
 *
 * Errors: DataError if they cannot be.
 */
export async function withInitialWeights(plan: RunPlan): Promise<RunPlan> {
  const { initFrom } = plan.config;
  if (plan.checkpoint || initFrom === null) return plan;
  const { readInitialWeights } = await import('./init_from.js');
  return { ...plan, initial: await readInitialWeights(initFrom) };
}

/** An input of one number, or of two, has the channels of the recipe. */
function withChannels(given: Partial<Settings>, { settings }: Recipe): Partial<Settings> {
  const { input } = given;
  if (!input || input[2] !== 0) return given;
  return { ...given, input: [input[0], input[1], settings.input?.[2] ?? 3] };
}

/** A rate that is given holds for the whole run, where the schedule before names one for each part. */
function constantRate(
  before: string | undefined,
  { lr, schedule }: Partial<Settings>,
): Partial<Settings> {
  const isReplaced = lr !== undefined && schedule === undefined;
  return isReplaced && before !== undefined && namesRates(before) ? { schedule: 'constant' } : {};
}

/** What `--overfit` leaves out or decides by itself. */
const notForOverfit = [
  ...(['dropLast', 'dropout', 'weightDecay', 'l2', 'labelSmoothing', 'warmup', 'augment'] as const),
  ...(['earlyStopping', 'validationShare', 'validateOn', 'split'] as const),
] satisfies readonly (keyof Settings)[];

/**
 * Refuses options that would be accepted and not used; a config file has all settings, used or not.
 *
 * Errors: UsageError naming them.
 */
function checkUsed({ overfit, freeze }: Settings, given: Partial<Settings>): void {
  checkRates(given);
  if (given.unfreezeAfter !== undefined && freeze.length === 0) {
    throw new UsageError(
      'train: --unfreeze-after, but nothing is frozen',
      'leave it out, or say what is, with --freeze',
    );
  }
  const unused = overfit ? notForOverfit.filter((name) => given[name] !== undefined) : [];
  if (unused.length === 0) return;
  throw new UsageError(
    `train: --overfit has no use for ${unused.map((name) => `--${kebab(name)}`).join(', ')}`,
    'leave them out: nothing may hinder the network from learning by heart',
  );
}

/** Errors: UsageError for a rate beside a schedule that names its own. */
function checkRates({ lr, schedule }: Partial<Settings>): void {
  if (lr === undefined || schedule === undefined || !namesRates(schedule)) return;
  throw new UsageError(
    `train: --lr ${lr} says nothing beside --schedule ${schedule}, which names the rates`,
    'leave out one of them',
  );
}

/** By then a sound network has learned 1 % of the images by heart; most do in 20. */
const OVERFIT_EPOCHS = 100;
const OVERFIT_BATCH = 32;
const OVERFIT_RATE = 1e-3;

/** A network that cannot learn a few images by heart has a fault, so nothing may hinder it here. */
function withoutRegularisation(
  settings: Settings,
  given: Partial<Settings>,
  recipe: Recipe,
): Settings {
  // A rate made for many steps, or for pretrained weights, would not do for the few there are here.
  const planned: Partial<Settings> = {
    ...{ epochs: OVERFIT_EPOCHS, batchSize: Math.min(settings.batchSize, OVERFIT_BATCH) },
    ...{ optimizer: 'adam', lr: OVERFIT_RATE, schedule: 'inverse-time:0.01' },
    ...{ momentum: null, nesterov: null },
    ...(settings.model === recipe.settings.model ? recipe.overfit : {}),
  };
  return {
    ...settings,
    ...planned,
    ...given,
    ...{ dropLast: false, dropout: 0, weightDecay: 0, l2: 0, labelSmoothing: 0, warmup: 0 },
    ...{ augment: 'none', earlyStopping: null },
  };
}

function resumedRun(request: TrainRequest & { resume: string }): RunPlan {
  const { resume: folder, recipe, settings } = request;
  const saved = readRunConfig(folder);
  if (recipe !== undefined && recipe !== saved.recipe) {
    throw new UsageError(`train: ${folder} is a run of recipe ${saved.recipe}, not ${recipe}`);
  }
  if (settings.model !== undefined && settings.model !== saved.model) {
    throw new UsageError(
      `train: ${folder} is a run of the model ${saved.model}, not ${settings.model}`,
      `begin a new run with --init-from ${folder} to take over the weights that fit`,
    );
  }
  const fixed = Object.keys(settings).filter((name) => !changeable.has(name) && name !== 'model');
  const others = (['config', 'out', 'tune'] as const).filter((name) => request[name] !== undefined);
  if (fixed.length + others.length > 0) {
    const flags = [...fixed, ...others].map((name) => `--${kebab(name)}`);
    throw new UsageError(
      `train: --resume goes on with the run's own settings, got ${flags.join(', ')}`,
      'leave them out, or start a new run',
    );
  }
  checkRates(settings);
  const path = join(folder, 'last.safetensors');
  const checkpoint = existsSync(path) ? readCheckpoint(path) : null;
  if (checkpoint) expectFiniteCheckpoint(path, checkpoint);
  if (checkpoint && checkpoint.config.model !== saved.model) {
    throw new TrainingError(
      `train: ${path} holds the model ${checkpoint.config.model}, but config.json says ${saved.model}`,
      'put back the config.json of this run',
    );
  }
  const before = settingsBefore(saved, checkpoint);
  const config = {
    ...before,
    ...settings,
    ...constantRate(before.schedule, settings),
  } as RunConfig;
  if (!checkpoint) return { config, folder, checkpoint, isResumed: true };
  checkResumed(folder, checkpoint.progress, config, settings);
  const progress = restoredProgress(checkpoint, config, settings);
  return { config, folder, checkpoint: { ...checkpoint, progress }, isResumed: true };
}
