import { UsageError } from '../errors.js';
import { didYouMean } from '../gpu/nearest_name.js';
import { defaultSettings, type Settings } from './settings.js';

/** How a network is trained on a kind of data, when nothing else is said. */
export interface Recipe {
  name: string;
  summary: string;
  /** Where they differ from the default settings. */
  settings: Partial<Settings> & Pick<Settings, 'model'>;
  /** What its network needs to learn 1 % of the images by heart where others can do without. */
  overfit?: Partial<Settings>;
  /** Input size, batch, epochs and augmentation are chosen by looking at the pictures: see fitting.ts. */
  isFitted?: true;
}

export const recipes: readonly Recipe[] = [
  {
    name: 'mnist',
    summary: 'handwritten digits, two 5×5 convolutions, Adam in three stages',
    settings: {
      ...{ model: 'mnist-cnn', data: 'builtin:digits', input: [28, 28, 1] },
      ...{ epochs: 12, batchSize: 64, optimizer: 'adam', lr: 5e-4 },
      schedule: 'stages:5e-4,3e-4,1e-4',
    },
  },
  {
    name: 'traffic',
    summary: 'traffic signs (GTSRB), ResNet-101 at 64×64, whole tracks held out',
    settings: {
      ...{ model: 'resnet101-v1', data: 'builtin:signs', input: [64, 64, 3] },
      ...{ epochs: 20, batchSize: 32, optimizer: 'adam', lr: 5e-5 },
      ...{ schedule: 'inverse-time:2e-6', validationShare: 0.05 },
    },
    // By 1e-3 it takes far longer to learn, and by a constant rate not everything.
    overfit: { batchSize: 16, lr: 2e-4, schedule: 'step:40,0.5' },
  },
  {
    name: 'simpsons-tf',
    summary: 'Simpsons characters (class folders), four convolutions and four dense layers',
    settings: {
      ...{ model: 'simpsons-tf', input: [64, 64, 3] },
      ...{ epochs: 70, batchSize: 64, dropLast: true, optimizer: 'adam', lr: 1e-3 },
      ...{ dropout: 0.4, validationShare: 0.1 },
    },
  },
  {
    name: 'simpsons-keras',
    summary: 'Simpsons characters (class folders), three convolutions and a dense layer',
    settings: {
      ...{ model: 'simpsons-keras', input: [64, 64, 3] },
      ...{ epochs: 7, batchSize: 32, optimizer: 'adam', lr: 1e-3, validationShare: 0.2 },
    },
  },
  {
    name: 'cifar100-simple',
    summary: 'CIFAR-100, four convolutions with batch norm, flips and shifts',
    settings: {
      ...{ model: 'cifar-simple', input: [32, 32, 3] },
      ...{ epochs: 50, batchSize: 64, optimizer: 'adam', lr: 1e-3 },
      augment: 'flip,shift=0.1',
    },
  },
  {
    name: 'cifar100-vgg',
    summary: 'CIFAR-100, VGG-16 with batch norm, dropout and L2, SGD with momentum',
    settings: {
      ...{ model: 'cifar-vgg', input: [32, 32, 3] },
      ...{ epochs: 250, batchSize: 128, optimizer: 'sgd', momentum: 0.9, nesterov: true },
      // Half the rate every 20 epochs.
      ...{ lr: 0.1, schedule: 'exponential:0.966', l2: 5e-4 },
      augment: 'flip,shift=0.1,rotation=15',
    },
  },
  {
    name: 'cifar100-transfer',
    summary: 'CIFAR-100, EfficientNet-B0 at 224×224 from pretrained weights (--init-from)',
    settings: {
      ...{ model: 'efficient-net-b0', input: [224, 224, 3], normalize: 'imagenet' },
      // With 16 images the largest array, [16 112 112 96], fits the 128 MiB that any adapter can bind.
      ...{ epochs: 15, batchSize: 16, optimizer: 'adam', lr: 1e-4 },
      ...{ schedule: 'plateau:0.5,2', earlyStopping: 5, dropout: 0.2 },
      augment: 'flip,shift-width=0.1,grid=0.2,elastic=0.2',
    },
  },
  {
    name: 'images',
    summary: 'any folder of class folders, with settings that suit the pictures',
    settings: {
      ...{ model: 'compact-resnet', optimizer: 'adamw', lr: 2e-3, weightDecay: 0.05 },
      // Of few pictures held out, how sure the network is says more than how many are right.
      ...{ schedule: 'cosine', labelSmoothing: 0.1, bestBy: 'loss' },
    },
    isFitted: true,
  },
];

/**
 * The recipe of a name.
 *
 * Errors: UsageError with the names there are.
 */
export function recipeOf(name: string): Recipe {
  const recipe = recipes.find((candidate) => candidate.name === name);
  if (recipe) return recipe;
  const names = recipes.map((known) => known.name);
  throw new UsageError(
    `train: no recipe named "${name}"; there are ${names.join(', ')}`,
    didYouMean(name, names),
  );
}

/** All settings of a recipe, when nothing else is said. */
export function recipeSettings(recipe: Recipe): Settings {
  return { ...defaultSettings(), ...recipe.settings };
}
