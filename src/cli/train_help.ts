import { Option, type Command, type Help } from 'commander';
import { fittedKeys } from '../train/fitting.js';
import { recipes, recipeSettings, type Recipe } from '../train/recipes.js';
import { settings, type Settings } from '../train/settings.js';

/* The help of `tilegrad train`: options in groups, each with its default or that of the recipe. */

const DATA = 'Data:';
const NETWORK = 'Network:';
const TRAINING = 'Training:';
const UPDATES = 'Learning rate and updates:';
const REGULARISATION = 'Augmentation and regularisation:';
const VALIDATION = 'Validation and stopping:';
const COMPUTATION = 'Computation:';
export const OUTPUT = 'Run and output:';

/** The heading each setting is listed under; the headings come in the order of this list. */
const groups: Readonly<Record<string, readonly (keyof Settings)[]>> = {
  [DATA]: ['data', 'input', 'classes', 'limit', 'minImages', 'crop', 'normalize'],
  [NETWORK]: ['model', 'shortcut', 'initFrom', 'freeze', 'unfreezeAfter'],
  [TRAINING]: ['epochs', 'batchSize', 'dropLast', 'seed', 'overfit'],
  [UPDATES]: [
    ...(['optimizer', 'lr', 'schedule', 'warmup', 'lrScale', 'momentum', 'nesterov'] as const),
    ...(['beta1', 'beta2', 'alpha', 'epsilon', 'amsgrad', 'clipNorm', 'lossReduction'] as const),
  ],
  [REGULARISATION]: ['augment', 'dropout', 'weightDecay', 'l2', 'labelSmoothing'],
  [VALIDATION]: [
    ...(['validationShare', 'validateOn', 'split', 'validateEvery', 'earlyStopping'] as const),
    ...(['bestBy', 'checkpoint'] satisfies (keyof Settings)[]),
  ],
  [COMPUTATION]: ['dtype', 'recompute'],
  [OUTPUT]: ['tensorboard'],
};

/** The settings with their headings, in the order in which the help lists them. */
export function groupedSettings(): { heading: string; setting: (typeof settings)[number] }[] {
  const known = Object.entries(groups).flatMap(([heading, keys]) =>
    keys.map((key) => ({ heading, setting: settings.find((one) => one.key === key)! })),
  );
  const listed = new Set(known.map(({ setting }) => setting.key));
  const others = settings.filter(({ key }) => !listed.has(key));
  return [...known, ...others.map((setting) => ({ heading: TRAINING, setting }))];
}

/** Settings that some recipe changes have no default of their own. */
const recipeKeys = new Set(recipes.flatMap((recipe) => Object.keys(recipe.settings)));

/** The default of a setting for the help text: the recipe's where one is named. Null: none to show. */
export function defaultText(key: keyof Settings, recipe?: Recipe): string | null {
  if (!recipe && recipeKeys.has(key)) return 'by recipe';
  if (recipe?.isFitted && fittedKeys.has(key)) return 'by the pictures';
  const standard = settings.find((setting) => setting.key === key)!.default;
  const value = recipe ? recipeSettings(recipe)[key] : standard;
  if (value === null || value === false) return null;
  if (typeof value === 'object') {
    const parts = Array.isArray(value)
      ? value
      : Object.entries(value).map((pair) => pair.join('='));
    return parts.length === 0 ? null : parts.join(',');
  }
  return value === true ? 'on' : String(value);
}

/** Makes `train --help` show the defaults of all recipes, and `train mnist --help` those of mnist. */
export function addTrainHelp(command: Command): void {
  const named = (): Recipe | undefined => recipes.find(({ name }) => name === command.args[0]);
  command.configureHelp({
    commandDescription: (self: Command) => {
      const recipe = named();
      return recipe
        ? `${self.description()}\n\n${recipe.name}: ${recipe.summary}`
        : self.description();
    },
    optionDescription(this: Help, option: Option): string {
      const setting = settings.find(({ flag }) => flag === option.flags);
      const value = setting && defaultText(setting.key, named());
      if (!value) return option.description;
      // Where the text tells the defaults of several optimizers or models, this one needs another word.
      const word = option.description.includes('(default') ? 'recipe' : 'default';
      return `${option.description} (${word}: ${value})`;
    },
  });
  command.addHelpOption(new Option('-h, --help', 'show this text').helpGroup(OUTPUT));
  command.addHelpText('after', () => (named() ? recipeExamples(named()!) : examples()));
}

function recipeExamples({ name, settings: { data } }: Recipe): string {
  const train = `tilegrad train ${name}${data ? '' : ' --data pictures'}`;
  return [
    ...['', 'Examples:', `  ${train}`, `  ${train} --epochs 3 --limit 500`],
    ...[`  ${train} --model resnet18 --lr 3e-4`, `  tilegrad train --resume runs/${name}-1`],
  ].join('\n');
}

function examples(): string {
  const width = Math.max(...recipes.map(({ name }) => name.length));
  return [
    ...['', 'Recipes (tilegrad train <recipe> --help shows the defaults of one):'],
    ...recipes.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`),
    ...['', 'Examples:'],
    '  tilegrad train mnist                        no download: digits drawn by the program',
    '  tilegrad train images --data pictures       a folder with one folder of images a class',
    '  tilegrad train images --data pictures --model resnet18 --augment flip,shift=0.1',
    '  tilegrad train --resume runs/images-1       goes on where a run was stopped',
    '  tilegrad train --config runs/images-1/config.json --seed 2',
  ].join('\n');
}
