import { UsageError } from '../gpu/errors.js';

/** How a network is trained on a kind of data, when the command line says nothing else. */
export interface Recipe {
  name: string;
  summary: string;
  model: string;
  /** What `--data` is when it is left out. */
  data: string | null;
  /** Images are resized to this; null takes them as they are. */
  imageSize: readonly [number, number] | null;
  channels: 1 | 3 | null;
  epochs: number;
  batchSize: number;
  optimizer: OptimizerName;
  /** Learning rates of equal stages of the run: 12 epochs and three rates give four epochs each. */
  learningRates: readonly number[];
  weightDecay: number;
  /** Share of the training set held out where the data has no test set. */
  validationShare: number;
}

export const optimizerNames = ['sgd', 'adam', 'adamw', 'rmsprop'] as const;
export type OptimizerName = (typeof optimizerNames)[number];

export const recipes: readonly Recipe[] = [
  {
    name: 'mnist',
    summary: 'handwritten digits, two 5×5 convolutions, Adam in three stages',
    model: 'mnist-cnn',
    data: 'builtin:digits',
    imageSize: [28, 28],
    channels: 1,
    epochs: 12,
    batchSize: 64,
    optimizer: 'adam',
    learningRates: [5e-4, 3e-4, 1e-4],
    weightDecay: 0,
    validationShare: 0.1,
  },
  {
    name: 'traffic',
    summary: 'traffic signs (class folders of GTSRB), ResNet-101 at 32×32, whole tracks held out',
    model: 'resnet101',
    data: 'builtin:signs',
    imageSize: [32, 32],
    channels: 3,
    epochs: 30,
    batchSize: 64,
    optimizer: 'adamw',
    learningRates: [1e-3, 3e-4, 1e-4],
    weightDecay: 0.01,
    validationShare: 0.2,
  },
  {
    name: 'simpsons-tf',
    summary: 'Simpsons characters (class folders), three convolutions at 64×64, Adam',
    model: 'simpsons-tf',
    data: null,
    imageSize: [64, 64],
    channels: 3,
    epochs: 15,
    batchSize: 32,
    optimizer: 'adam',
    learningRates: [1e-3],
    weightDecay: 0,
    validationShare: 0.2,
  },
  {
    name: 'simpsons-keras',
    summary: 'Simpsons characters (class folders), six convolutions at 64×64, Adam in three stages',
    model: 'simpsons-keras',
    data: null,
    imageSize: [64, 64],
    channels: 3,
    epochs: 30,
    batchSize: 32,
    optimizer: 'adam',
    learningRates: [5e-4, 1e-4, 2e-5],
    weightDecay: 0,
    validationShare: 0.15,
  },
  {
    name: 'cifar100-simple',
    summary: 'CIFAR-100, four convolutions, RMSprop at 1e-4 as in the Keras example',
    model: 'cifar-simple',
    data: null,
    imageSize: [32, 32],
    channels: 3,
    epochs: 100,
    batchSize: 32,
    optimizer: 'rmsprop',
    learningRates: [1e-4],
    weightDecay: 0,
    validationShare: 0.1,
  },
  {
    name: 'cifar100-vgg',
    summary: 'CIFAR-100, VGG-16 with batch norm and dropout, AdamW in four stages',
    model: 'cifar-vgg',
    data: null,
    imageSize: [32, 32],
    channels: 3,
    epochs: 120,
    batchSize: 128,
    optimizer: 'adamw',
    learningRates: [1e-3, 3e-4, 1e-4, 3e-5],
    weightDecay: 0.05,
    validationShare: 0.1,
  },
  {
    name: 'cifar100-transfer',
    summary:
      'CIFAR-100, EfficientNet-B0 trained from scratch: there is no way to start from weights yet',
    model: 'efficient-net-b0',
    data: null,
    imageSize: [32, 32],
    channels: 3,
    epochs: 60,
    batchSize: 128,
    optimizer: 'adamw',
    learningRates: [2e-3, 6e-4, 2e-4],
    weightDecay: 0.02,
    validationShare: 0.1,
  },
  {
    name: 'images',
    summary: 'any folder of class folders, with any model',
    model: 'cifar-simple',
    data: null,
    imageSize: null,
    channels: null,
    epochs: 21,
    batchSize: 64,
    optimizer: 'adam',
    learningRates: [1e-3, 3e-4, 1e-4],
    weightDecay: 0,
    validationShare: 0.1,
  },
];

export function recipeOf(name: string): Recipe {
  const recipe = recipes.find((candidate) => candidate.name === name);
  if (recipe) return recipe;
  throw new UsageError(
    `train: no recipe named "${name}"; there are ${recipes.map((r) => r.name).join(', ')}`,
  );
}

/** The learning rate of an epoch (counted from 0) of a run in equal stages. */
export function learningRateAt(rates: readonly number[], epoch: number, epochs: number): number {
  const stage = Math.floor((epoch * rates.length) / epochs);
  return rates[Math.min(stage, rates.length - 1)];
}
