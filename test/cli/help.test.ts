import { describe, expect, it } from 'vitest';
import { defaultText, groupedSettings } from '../../src/cli/train_help.js';
import { modelDescriptions } from '../../src/models/descriptions.js';
import { modelFactories } from '../../src/models/index.js';
import { recipeOf, recipes } from '../../src/train/recipes.js';
import { settings } from '../../src/train/settings.js';
import { run } from './helpers.js';

/** The lines of help about one option, as one text. */
function optionText(help: string, flag: string): string {
  const [, text] = new RegExp(`^  ${flag} (.*(?:\n {20,}.*)*)`, 'm').exec(help) ?? [];
  return (text ?? '').replace(/\s+/g, ' ');
}

describe('train --help', () => {
  it('lists every setting once, in groups', async () => {
    const { code, stdout } = await run('train', '--help');
    expect(code).toBe(0);
    expect(
      groupedSettings()
        .map(({ setting }) => setting.key)
        .sort(),
    ).toEqual(settings.map(({ key }) => key).sort());
    for (const { flag } of settings) {
      const [name] = flag.split(' ');
      expect(stdout.match(new RegExp(`^  ${name}\\b(?!-)`, 'gm')), name).toHaveLength(1);
    }
    const headings = stdout.match(/^[A-Z][\w ]*:$/gm)!;
    expect(headings).toEqual([
      ...['Arguments:', 'Data:', 'Network:', 'Training:', 'Learning rate and updates:'],
      ...['Augmentation and regularisation:', 'Validation and stopping:', 'Computation:'],
      ...['Run and output:', 'Examples:'],
    ]);
    for (const { name, summary } of recipes) {
      expect(stdout).toMatch(new RegExp(`^  ${name} +${summary.replace(/[()]/g, '\\$&')}$`, 'm'));
    }
    expect(optionText(stdout, '--epochs <n>')).toContain('(default: by recipe)');
    expect(optionText(stdout, '--split <how>')).toContain('(default: auto)');
  });

  it('shows the defaults of the recipe it is asked about', async () => {
    const { stdout } = await run('train', 'cifar100-vgg', '--help');
    expect(stdout.replace(/\s+/g, ' ')).toContain(
      `cifar100-vgg: ${recipeOf('cifar100-vgg').summary}`,
    );
    const wanted = [
      ...([
        '--epochs <n>|250',
        '--momentum <share>|0.9',
        '--nesterov|on',
        '--l2 <factor>|0.0005',
      ] as const),
      ...(['--input <size>|32,32,3', '--schedule <text>|exponential:0.966'] as const),
    ];
    for (const [flag, value] of wanted.map((pair) => pair.split('|'))) {
      expect(optionText(stdout, flag), flag).toMatch(
        new RegExp(`\\((default|recipe): ${value}\\)$`),
      );
    }
    expect(optionText(stdout, '--clip-norm <length>')).not.toContain('default');
  });
});

it('shows no default where a setting is left to the data or off', () => {
  const mnist = recipeOf('mnist');
  expect(defaultText('classes', mnist)).toBeNull();
  expect(defaultText('dropLast', mnist)).toBeNull();
  expect(defaultText('freeze', mnist)).toBeNull();
  expect(defaultText('data', mnist)).toBe('builtin:digits');
});

it('groups the commands of the program and gives examples', async () => {
  const { stdout } = await run('--help');
  const headings = stdout.match(/^[A-Z][\w ]*:$/gm)!;
  expect(headings).toEqual([
    ...['Options:', 'Train and use a network:', 'Look at data and networks:'],
    ...['Measure and understand:', 'Examples:'],
  ]);
});

describe('tilegrad recipes and tilegrad models', () => {
  it('list what train and summary take', async () => {
    const [text, json] = [await run('recipes'), await run('recipes', '--json')];
    const documents = JSON.parse(json.stdout) as { name: string; settings: { lr: number } }[];
    expect(documents.map(({ name }) => name)).toEqual(recipes.map(({ name }) => name));
    expect(documents.find(({ name }) => name === 'traffic')!.settings.lr).toBe(5e-5);
    for (const { name, summary } of recipes) expect(text.stdout).toContain(`${name}: ${summary}\n`);
  });

  it('count the parameters of each network as it was published', async () => {
    const [text, json] = [await run('models'), await run('models', '--json')];
    const documents = JSON.parse(json.stdout) as { name: string; parameters: number }[];
    expect(documents.map(({ name }) => name)).toEqual(Object.keys(modelFactories));
    const parameters = new Map(documents.map((entry) => [entry.name, entry.parameters]));
    expect(parameters.get('mnist-cnn')).toBe(3_274_634);
    expect(text.stdout).toMatch(/^mnist-cnn +3,274,634 {2}two 5×5 convolutions/m);
    expect(Object.keys(modelDescriptions).sort()).toEqual(Object.keys(modelFactories).sort());
  }, 60_000);
});

describe('a name that is nearly right', () => {
  it.each([
    ['recipe', ['train', 'mnits'], 'fix: did you mean "mnist"?'],
    ['model of train', ['train', 'mnist', '--model', 'resnt18'], 'fix: did you mean "resnet18"?'],
    ['model of summary', ['summary', 'mnist-cn'], 'fix: did you mean "mnist-cnn"?'],
    ['op of bench', ['bench', 'conv2'], 'fix: did you mean "conv2d"?'],
    ['op of explain', ['explain', 'batchnrm'], 'fix: did you mean "batchNorm"?'],
    ['schedule', ['train', 'mnist', '--schedule', 'cosin'], 'fix: did you mean "cosine"?'],
    ['augmentation', ['train', 'mnist', '--augment', 'rotaton=5'], 'fix: did you mean "rotation"?'],
    ['drawn data set', ['data', 'check', 'builtin:digit'], 'fix: did you mean "builtin:digits"?'],
    ['data set to download', ['data', 'download', 'mnst'], 'fix: did you mean "mnist"?'],
    ['choice', ['train', 'mnist', '--split', 'group'], 'fix: did you mean "groups"?'],
    ['command', ['recipe'], '(Did you mean recipes?)'],
    ['option', ['train', 'mnist', '--epoch', '3'], '(Did you mean --epochs?)'],
  ])('is named: %s', async (_, args, wanted) => {
    const { code, stderr } = await run(...args);
    expect(code).toBe(2);
    expect(stderr).toContain(wanted);
  });
});
