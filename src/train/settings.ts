import { parseAugment } from '../autograd/augment_text.js';
import { modelFactories, shortcuts } from '../models/index.js';
import { optimizerNames } from '../optim/index.js';
import { checkSchedule, scheduleForms } from './learning_rate.js';
import { parseNormalization } from './normalization.js';
import * as kind from './setting_kinds.js';
import type { Kind } from './setting_kinds.js';
import { checkpointNames, type Settings } from './settings_type.js';

export type { Settings } from './settings_type.js';

/** One setting: its place on the command line and in a config file, and what it may be. */
export interface Setting<K extends keyof Settings = keyof Settings> {
  key: K;
  /** As commander takes it: '--batch-size <n>'. */
  flag: string;
  help: string;
  kind: Kind<NonNullable<Settings[K]>>;
  default: Settings[K];
  /** May null be given: 'left to the data or the model'? */
  isOptional: boolean;
}

function setting<K extends keyof Settings>(
  key: K,
  flag: string,
  kindOf: Kind<NonNullable<Settings[K]>>,
  standard: Settings[K],
  help: string,
): Setting<K> {
  return { key, flag, kind: kindOf, default: standard, help, isOptional: standard === null };
}

const schedules = kind.parsed(`a schedule: ${scheduleForms.join('; ')}`, checkSchedule);
const augmentations = kind.parsed('augmentations, such as flip,shift=0.1', parseAugment);
const normalizations = kind.parsed(
  'none, imagenet, or means/deviations such as 0.5,0.5,0.5/0.25,0.25,0.25',
  parseNormalization,
);

/** All settings in the order of the help text. A recipe's values come before these defaults. */
export const settings: readonly Setting[] = [
  setting(
    'model',
    '--model <name>',
    kind.choice(...Object.keys(modelFactories)),
    'mlp',
    'network, in place of the recipe’s',
  ),
  setting(
    'data',
    '--data <dir>',
    kind.text,
    null,
    'folder of data, builtin:digits or builtin:signs',
  ),
  setting(
    'input',
    '--input <size>',
    kind.imageShape,
    null,
    'image size the network sees: one number, or height,width,channels',
  ),
  setting(
    'classes',
    '--classes <n>',
    kind.count,
    null,
    'outputs of the network (default: the classes of the data)',
  ),
  setting(
    'shortcut',
    '--shortcut <kind>',
    kind.choice(...shortcuts),
    null,
    `where residual blocks change shape: ${shortcuts.join(', ')} (default: the model’s own)`,
  ),
  setting('epochs', '--epochs <n>', kind.count, 20, 'passes over the training images'),
  setting('batchSize', '--batch-size <n>', kind.count, 64, 'images in a step'),
  setting(
    'dropLast',
    '--drop-last',
    kind.boolean,
    false,
    'leave out a last batch that is not full',
  ),
  setting(
    'optimizer',
    '--optimizer <name>',
    kind.choice(...optimizerNames),
    'adam',
    `how to update: ${optimizerNames.join(', ')}`,
  ),
  setting('lr', '--lr <rate>', kind.positive, 1e-3, 'learning rate'),
  setting(
    'schedule',
    '--schedule <text>',
    schedules,
    'constant',
    `how it changes: ${scheduleForms.join('; ')}`,
  ),
  setting(
    'warmup',
    '--warmup <epochs>',
    kind.fromZero,
    0,
    'epochs over which the learning rate rises from 0',
  ),
  setting(
    'momentum',
    '--momentum <share>',
    kind.share,
    null,
    'of sgd (default 0.9) and rmsprop (0)',
  ),
  setting('nesterov', '--nesterov', kind.boolean, null, 'look ahead along the momentum (sgd)'),
  setting('beta1', '--beta1 <share>', kind.share, null, 'of adam and adamw (default 0.9)'),
  setting('beta2', '--beta2 <share>', kind.share, null, 'of adam and adamw (default 0.999)'),
  setting('alpha', '--alpha <share>', kind.share, null, 'of rmsprop (default 0.99)'),
  setting(
    'epsilon',
    '--epsilon <number>',
    kind.positive,
    null,
    'of adam, adamw and rmsprop (default 1e-8)',
  ),
  setting(
    'amsgrad',
    '--amsgrad',
    kind.boolean,
    null,
    'divide by the largest mean of squares (adam, adamw)',
  ),
  setting(
    'weightDecay',
    '--weight-decay <share>',
    kind.fromZero,
    0,
    'share of parameters added to their gradients; adamw: decoupled',
  ),
  setting(
    'l2',
    '--l2 <factor>',
    kind.fromZero,
    0,
    'penalty on squared convolution and dense weights',
  ),
  setting(
    'clipNorm',
    '--clip-norm <length>',
    kind.positive,
    null,
    'shorten gradients, as one vector, to this length',
  ),
  setting(
    'dropout',
    '--dropout <rate>',
    kind.share,
    null,
    'rate of every dropout layer (default: the model’s own)',
  ),
  setting(
    'lossReduction',
    '--loss-reduction <how>',
    kind.choice('mean', 'sum'),
    'mean',
    'loss of a batch: mean or sum over its images',
  ),
  setting(
    'labelSmoothing',
    '--label-smoothing <share>',
    kind.share,
    0,
    'share of the target spread over all classes',
  ),
  setting(
    'augment',
    '--augment <list>',
    augmentations,
    'none',
    'for training images: none, or flip,shift=0.1,rotation=15,zoom=0.1,brightness=0.2,…',
  ),
  setting(
    'normalize',
    '--normalize <how>',
    normalizations,
    'none',
    'pixels in [0, 1] as they are (none), or by mean and deviation: imagenet or M,M,M/D,D,D',
  ),
  setting(
    'validationShare',
    '--validation-share <share>',
    kind.share,
    0.1,
    'of the training images, held out where the data has no validation set',
  ),
  setting(
    'validateOn',
    '--validate-on <what>',
    kind.choice('validation', 'test'),
    'validation',
    'validation: the test set is judged once, at the end; test: after each epoch (and selected on)',
  ),
  setting(
    'split',
    '--split <how>',
    kind.choice('auto', 'stratified', 'random', 'groups'),
    'auto',
    'how it is drawn: auto keeps tracks whole where there are any, and the shares of classes',
  ),
  setting(
    'validateEvery',
    '--validate-every <steps>',
    kind.count,
    null,
    'validate within epochs too',
  ),
  setting(
    'earlyStopping',
    '--early-stopping <epochs>',
    kind.count,
    null,
    'stop after so many epochs without a better validation loss',
  ),
  setting(
    'bestBy',
    '--best-by <what>',
    kind.choice('accuracy', 'loss'),
    'accuracy',
    'what makes the best checkpoint: validation accuracy or loss',
  ),
  setting(
    'checkpoint',
    '--checkpoint <which>',
    kind.choice(...checkpointNames),
    'best',
    'whose weights are judged at the end, and taken by evaluate, predict and export: best or last',
  ),
  setting(
    'freeze',
    '--freeze <pattern>',
    kind.texts,
    [],
    'do not train parameters whose name matches, * for any text; may be repeated',
  ),
  setting('unfreezeAfter', '--unfreeze-after <epochs>', kind.count, null, 'then train everything'),
  setting(
    'lrScale',
    '--lr-scale <pattern=factor>',
    kind.scales,
    {},
    'learning rate of parameters whose name matches; may be repeated',
  ),
  setting(
    'initFrom',
    '--init-from <file>',
    kind.text,
    null,
    'begin with the weights of a run, a .safetensors or a Keras .h5 file',
  ),
  setting(
    'crop',
    '--crop <how>',
    kind.choice('none', 'roi'),
    'none',
    'roi: cut images of GTSRB to their signs',
  ),
  setting('minImages', '--min-images <n>', kind.count, null, 'leave out classes with fewer images'),
  setting(
    'limit',
    '--limit <n>',
    kind.count,
    null,
    'train on this many images, drawn evenly from the classes',
  ),
  setting(
    'seed',
    '--seed <n>',
    kind.wholeFromZero,
    0,
    'of initial weights, shuffles, dropout and augmentation',
  ),
  setting(
    'dtype',
    '--dtype <type>',
    kind.choice('f32', 'f16'),
    'f32',
    'what convolutions and products multiply; sums and parameters stay f32',
  ),
  setting(
    'recompute',
    '--recompute',
    kind.boolean,
    false,
    'compute activations again in backward: the same numbers, less memory, more time',
  ),
  setting(
    'tensorboard',
    '--tensorboard <what>',
    kind.choice('all', 'scalars', 'off'),
    'all',
    'curves, weight histograms, input images and the network’s text (all), or less',
  ),
  setting(
    'overfit',
    '--overfit',
    kind.boolean,
    false,
    'check that the network can learn 1 % of the images by heart',
  ),
];

/** What a setting is where neither recipe nor person says anything. */
export function defaultSettings(): Settings {
  return Object.fromEntries(settings.map(({ key, default: value }) => [key, value])) as never;
}
