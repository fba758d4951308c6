import type { Shortcut } from '../models/index.js';
import type { OptimizerName } from '../optim/index.js';
import type { OperandType } from '../ops/mixed_precision.js';

/** The checkpoints of a run: that of the best epoch, and that of the last. */
export const checkpointNames = ['best', 'last'] as const;
export type CheckpointName = (typeof checkpointNames)[number];

/** Everything about a run that a person may choose. What is null is left to the data or the model. */
export interface Settings {
  model: string;
  data: string | null;
  /** Height, width and channels that images are brought to. */
  input: readonly [number, number, number] | null;
  classes: number | null;
  /** Of residual networks; null: the model's own. */
  shortcut: Shortcut | null;
  epochs: number;
  batchSize: number;
  /** Leaves out a last batch that is not full. */
  dropLast: boolean;
  optimizer: OptimizerName;
  lr: number;
  /** See learning_rate.ts. */
  schedule: string;
  /** Epochs over which the learning rate rises from 0. */
  warmup: number;
  momentum: number | null;
  nesterov: boolean | null;
  beta1: number | null;
  beta2: number | null;
  alpha: number | null;
  epsilon: number | null;
  amsgrad: boolean | null;
  weightDecay: number;
  /** Keras' kernel regulariser: adds l2 · Σ w² of every convolution and dense weight to the loss. */
  l2: number;
  /** Longest gradient, over all parameters. */
  clipNorm: number | null;
  /** Rate of every dropout layer, in place of the model's own. */
  dropout: number | null;
  lossReduction: 'mean' | 'sum';
  labelSmoothing: number;
  /** What is done to training images; see ops.augment. */
  augment: string;
  /** How pixels in [0, 1] are normalised. */
  normalize: string;
  validationShare: number;
  /** What the network is validated on as it trains: images apart from the test set, or the test set. */
  validateOn: 'validation' | 'test';
  split: 'auto' | 'stratified' | 'random' | 'groups';
  /** Validates every so many steps too; null: after each epoch only. */
  validateEvery: number | null;
  /** Stops after so many epochs without a better validation loss. */
  earlyStopping: number | null;
  /** What the best checkpoint is judged by. */
  bestBy: 'accuracy' | 'loss';
  /** Whose weights a run is judged by at its end, and used by afterwards. */
  checkpoint: CheckpointName;
  /** Names or patterns of parameters that are not trained. */
  freeze: readonly string[];
  /** After so many epochs everything is trained. */
  unfreezeAfter: number | null;
  /** Factors of the learning rate for parameters by pattern. */
  lrScale: Readonly<Record<string, number>>;
  /** A file of weights to begin with. */
  initFrom: string | null;
  /** Classes with fewer images are left out. */
  minImages: number | null;
  /** Cuts images of GTSRB to their signs, by the tables published with them. */
  crop: 'none' | 'roi';
  limit: number | null;
  seed: number;
  dtype: OperandType;
  /** Computes activations again in backward instead of keeping them: the same numbers in less memory. */
  recompute: boolean;
  tensorboard: 'all' | 'scalars' | 'off';
  /** Trains on 1 % of the images without regularisation, until all of them are right. */
  overfit: boolean;
}
