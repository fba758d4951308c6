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
    summary: 'handwritten digits, the two-convolution network of DESIGN, Adam in three stages',
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
    name: 'images',
    summary: 'any folder of class folders, with any model',
    model: 'cifar-simple',
    data: null,
    imageSize: null,
    channels: null,
    epochs: 20,
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
