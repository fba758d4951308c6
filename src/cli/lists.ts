import type { Command } from 'commander';
import { print, printJson } from './output.js';
import { withCommon, type CommonOptions } from './options.js';

/** `tilegrad recipes` and `tilegrad models`: the names that the other commands take. */
export function listCommands(program: Command): void {
  withCommon(
    program.command('recipes').description('the recipes of `train`, and what each sets'),
  ).action(listRecipes);
  withCommon(
    program.command('models').description('the networks there are, with their parameters'),
  ).action(listModels);
}

async function listRecipes(options: CommonOptions): Promise<void> {
  const { recipes, recipeSettings } = await import('../train/recipes.js');
  if (options.json) {
    const document = recipes.map((recipe) => ({
      ...{ name: recipe.name, summary: recipe.summary },
      settings: recipeSettings(recipe),
    }));
    printJson(document);
    return;
  }
  const { defaultText } = await import('./train_help.js');
  for (const recipe of recipes) {
    const { model, data, input } = recipe.settings;
    const shape = input ? ` on ${input.join('×')}` : '';
    const { epochs, batchSize } = recipeSettings(recipe);
    const augment = defaultText('augment', recipe);
    print([
      `${recipe.name}: ${recipe.summary}`,
      `  ${model}${shape}, data ${data ?? 'by --data'}`,
      `  ${epochs} epochs of batches of ${batchSize}, ${defaultText('optimizer', recipe)}, ` +
        `lr ${defaultText('lr', recipe)}, ${defaultText('schedule', recipe)}`,
      ...(augment === 'none' ? [] : [`  augmentation ${augment}`]),
    ]);
  }
  print(['', 'tilegrad train <recipe> --help lists every setting of one']);
}

interface ModelEntry {
  name: string;
  description: string;
  /** What it was published for: height, width and channels, and classes. */
  input: readonly number[];
  classes: number;
  parameters: number;
}

async function listModels(options: CommonOptions): Promise<void> {
  const entries = await modelEntries();
  if (options.json) {
    printJson(entries);
    return;
  }
  const width = Math.max(...entries.map(({ name }) => name.length));
  const count = ({ parameters }: ModelEntry): string => parameters.toLocaleString('en-US');
  const digits = Math.max(...entries.map((entry) => count(entry).length));
  print([
    `${'model'.padEnd(width)}  ${'parameters'.padStart(digits)}  `,
    ...entries.map(
      (entry) =>
        `${entry.name.padEnd(width)}  ${count(entry).padStart(digits)}  ${entry.description}`,
    ),
    '',
    'tilegrad summary <model> shows the layers; parameters are those of the shape it was published for',
  ]);
}

/** Every network as it was published, built where nothing is computed. */
async function modelEntries(): Promise<ModelEntry[]> {
  const { createModel, modelFactories, publishedOptions } = await import('../models/index.js');
  const { modelDescriptions } = await import('../models/descriptions.js');
  const { createDevice } = await import('../device.js');
  const entries: ModelEntry[] = [];
  for (const name of Object.keys(modelFactories)) {
    const { input, classes } = publishedOptions(name);
    // One for each: all networks together are more than the null adapter holds.
    const device = await createDevice({ isNull: true });
    const { parameters } = createModel(device, name, { input, classes }).summary(input);
    device.destroy();
    const description = modelDescriptions[name] ?? '';
    entries.push({ name, description, input, classes, parameters: parameters.total });
  }
  return entries;
}
