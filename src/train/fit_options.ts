import type { AugmentSettings } from '../autograd/augment_settings.js';
import type { ImageDataset } from '../data/index.js';
import type { OperandType } from '../ops/mixed_precision.js';
import type {
  LossScalerOptions,
  Optimizer,
  OptimizerName,
  OptimizerOptions,
  Plateau,
  Schedule,
} from '../optim/index.js';
import type { Callback, FitEnd } from './callbacks/index.js';
import type { Checkpoint } from './checkpoint.js';
import type { Evaluation } from './evaluate.js';
import type { Criterion, EpochMetrics, ValidationMetrics } from './history.js';
import type { Normalization } from './normalization.js';

/** Labelled images to train on, or with others to judge by. What `openDataset` returns will do. */
export type FitData =
  | ImageDataset
  | {
      train: ImageDataset;
      /** Judged after each epoch; decides which epoch is the best. */
      validation?: ImageDataset | null | undefined;
      /** Judged once, at the end. */
      test?: ImageDataset | null | undefined;
    };

/** An option that is null is left to its default. */
type Optional<T> = { [K in keyof T]?: T[K] | null | undefined };

/** How images come to a network. */
export type ImageOptions = Optional<{
  /**
   * Height, width and channels that the network sees; smaller images are enlarged on the GPU.
   * Default: those of the data.
   */
  input: readonly [number, number, number];
  /**
   * How pixels in [0, 1] are normalised: 'none', 'imagenet', a text such as '0.5/0.25', or a mean and
   * a standard deviation for each channel. Default 'none'.
   */
  normalize: string | Normalization;
  /** What convolutions and matmuls multiply; sums and parameters are f32. Default 'f32'. */
  dtype: OperandType;
}>;

/** The options of `fit`; every one has a default. */
export interface FitOptions
  extends
    ImageOptions,
    Optional<{
      /**
       * An optimizer of the model's parameters, or the name of one: 'adam', 'adamw', 'sgd' (with a
       * momentum of 0.9) or 'rmsprop', which takes `lr` and the options of its kind. Default 'adam'.
       */
      optimizer: Optimizer | OptimizerName;
      /** With the name of an optimizer: adds l2 · Σ w² of every weight with two axes or more to the loss. Default 0. */
      l2: number;
      /** With the name of an optimizer: factors of the learning rate by name or pattern of parameters. */
      lrScale: Readonly<Record<string, number>>;
      /** Passes over the training images: a whole number from 1. Default 20. */
      epochs: number;
      /** Images in a step: a whole number from 1. Default 64. */
      batchSize: number;
      /** Leaves out a last batch that is not full. Default false. */
      dropLast: boolean;
      /** Draws a new order for each epoch. Default true. */
      shuffle: boolean;
      /** Of the order of images: a whole number from 0. Dropout and augmentation draw from the device's own. Default 0. */
      seed: number;
      /**
       * How the learning rate changes: the rate of every step (counted from 0), such as
       * optim.schedule.cosine(1e-3, { total: steps }), which is absolute; a plateau of
       * optim.schedule.reduceOnPlateau, which follows the validation loss; or a text as the command
       * line takes it: 'cosine', 'step:10,0.1', 'exponential:0.9', 'stages:1e-3,1e-4',
       * 'plateau:0.5,3' and so on, which begins with the optimizer's rate. Default 'constant'.
       */
      schedule: Schedule | Plateau | string;
      /** Epochs, or a part of one, over which the learning rate rises from 0. Default 0. */
      warmup: number;
      /** Cross-entropy of a batch: the mean over its images, or the sum. Default 'mean'. */
      lossReduction: 'mean' | 'sum';
      /** Share of the target that is spread over all classes: 0 to less than 1. Default 0. */
      labelSmoothing: number;
      /** A factor of the training loss for each class [K]; validation and test have none. */
      classWeights: readonly number[];
      /** Gradients, as one vector, are shortened to this length. Default: as they are. */
      clipNorm: number;
      /** Random changes of training images, as ops.augment takes them, or as a text: 'flip,shift=0.1'. Default 'none'. */
      augment: string | AugmentSettings;
      /** Names or patterns (`*` for any text) of parameters and modules that are not trained. */
      freeze: readonly string[];
      /** After so many epochs everything is trained. Default: never. */
      unfreezeAfter: number;
      /** Validates every so many steps too. Default: after each epoch only. */
      validateEvery: number;
      /** What makes an epoch the best: validation accuracy or loss. Default 'accuracy'. */
      bestBy: Criterion;
      /** Names of the network's outputs, where it has more than the data has classes. */
      classNames: readonly string[];
      /** Of dtype 'f16': see optim.LossScaler. */
      lossScale: LossScalerOptions;
      /** Captures a step and replays it for every full batch: the same numbers, faster. Default true. */
      capture: boolean;
      /** What else is done while it trains. Default: nothing. */
      callbacks: readonly Callback[];
      /**
       * Folder of the run, made where it is missing: `last.safetensors`, `best.safetensors`,
       * `metrics.csv`. No other run may write into it meanwhile. Default: nothing is written.
       */
      out: string;
      /**
       * Goes on where the run in `out` stands, with the numbers of a run that was never stopped; begins
       * if there is none yet. Default false: a folder with a run is refused.
       */
      resume: boolean;
      /** Once aborted, the run ends after the step at hand, is saved, and `end` is 'interrupted'. */
      signal: { readonly aborted: boolean };
    }>,
    Optional<OptimizerOptions> {
  /** @internal A run of the command line. */
  run?: CommandLineRun;
}

/** What the command line has done before it calls `fit`. */
export interface CommandLineRun {
  /** What its checkpoints say of it. */
  config: object & { data: string };
  /** Where it goes on. */
  checkpoint: Checkpoint | null;
  isPretrained: boolean;
}

/** How a run went. */
export interface History {
  end: FitEnd;
  /** A row for each epoch, with those from before the run was resumed. */
  epochs: EpochMetrics[];
  /** Validations within epochs. */
  validations: ValidationMetrics[];
  /** Steps since the run began. */
  steps: number;
  /** How the network does now on the validation images; null if there are none, or after an interruption. */
  validation: Evaluation | null;
  /** The same for the test images. */
  test: Evaluation | null;
}
