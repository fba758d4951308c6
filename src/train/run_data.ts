import {
  limit as limitDataset,
  openDataset,
  split,
  type ImageDataset,
  type OpenOptions,
  type SkippedImage,
} from '../data/index.js';
import { TrainingError, UsageError } from '../gpu/errors.js';
import { parseNormalization } from './normalization.js';
import type { RunConfig } from './run_config.js';

/** What a run trains on and is judged by. */
export interface RunData {
  train: ImageDataset;
  validation: ImageDataset;
  /** What `validation` is: the data's own test set, or images held out of the training set. */
  part: 'test' | 'validation' | 'training';
  /** The data's own test set, where it is not what the run is validated on. */
  test: ImageDataset | null;
  /** All that is open. */
  parts: readonly ImageDataset[];
  /** Height, width and channels that the network sees. */
  imageShape: readonly [number, number, number];
  classNames: readonly string[];
  /** What is worth telling people. */
  notes: readonly string[];
  /** Images that could not be decoded. */
  skipped: readonly SkippedImage[];
}

/** Share of the training images that a network must be able to learn by heart. */
const OVERFIT_SHARE = 0.01;

/** Opens the data of a run: the same images in the same parts for the same config. */
export async function openRunData(
  config: RunConfig,
  onDecoded: (done: number, total: number) => void,
): Promise<RunData> {
  const opened = await openDataset(config.data, { ...openOptions(config), onProgress: onDecoded });
  const { seed } = config;
  let { train, validation } = opened;
  const test = validation && opened.test ? opened.test : null;
  let part: RunData['part'] = validation ? 'validation' : 'test';
  validation ??= opened.test;
  if (config.overfit) {
    const size = config.limit ?? overfitSize(train.size, config.batchSize);
    train = limitDataset(train, size, { seed, stratified: true });
    [validation, part] = [train, 'training'];
  } else if (!validation) {
    ({ train, validation } = held(train, config));
    part = 'validation';
  }
  if (config.limit !== null && !config.overfit) {
    [train, validation] = [train, validation].map((dataset) =>
      config.limit! < dataset.size
        ? limitDataset(dataset, config.limit!, { seed, stratified: true })
        : dataset,
    );
  }
  const [height, width, channels] = train.imageShape;
  const imageShape = config.input ?? ([height, width, channels] as const);
  if (train.size < config.batchSize) {
    throw new TrainingError(
      `train: ${train.size} training images do not fill one batch of ${config.batchSize}`,
      `lower --batch-size${config.limit === null ? '' : ' or raise --limit'}`,
    );
  }
  checkNormalization(config.normalize, imageShape[2]);
  const classNames = namedClasses(config, train);
  const { notes, skipped } = opened;
  const parts = test ? [train, validation, test] : [train, validation];
  return { train, validation, part, test, parts, imageShape, classNames, notes, skipped };
}

/**
 * Images to learn by heart: whole batches, since the statistics of batch norm over the few that are
 * left over would be a lesson of its own in every epoch.
 */
function overfitSize(images: number, batchSize: number): number {
  const batches = Math.max(1, Math.round((images * OVERFIT_SHARE) / batchSize));
  return Math.min(images, batches * batchSize);
}

/** How images are brought to what the network sees; small ones are enlarged on the GPU. */
function openOptions({ input, classes, minImages, crop, seed }: RunConfig): OpenOptions {
  if (input && input[2] !== 1 && input[2] !== 3) {
    throw new UsageError(
      `train: --input ${input.join(',')}: images have 1 channel (grey) or 3, not ${input[2]}`,
    );
  }
  const options: OpenOptions = { seed, enlarge: 'later' };
  if (input) {
    options.imageSize = [input[0], input[1]];
    options.channels = input[2] as 1 | 3;
  }
  if (classes !== null) options.classCount = classes;
  if (minImages !== null) options.minImages = minImages;
  if (crop !== 'none') options.crop = crop;
  return options;
}

function held(dataset: ImageDataset, { validationShare, split: how, seed }: RunConfig) {
  if (validationShare === 0) {
    throw new UsageError(
      `train: --validation-share 0, but ${dataset.name} has no test set`,
      'hold out a share, such as 0.1',
    );
  }
  return split(dataset, {
    ...{ fraction: validationShare, seed, stratified: how !== 'random' },
    byGroup: how === 'groups' || (how === 'auto' && dataset.groups !== undefined),
  });
}

function checkNormalization(normalize: string, channels: number): void {
  const count = parseNormalization(normalize)?.mean.length ?? channels;
  if (count === channels) return;
  throw new UsageError(
    `train: --normalize ${normalize} is for ${count} channels, the images have ${channels}`,
    'give one mean and one deviation a channel',
  );
}

/** The data's classes; a network with more outputs than those has unnamed ones. */
function namedClasses({ classes }: RunConfig, { name, classNames }: ImageDataset): string[] {
  const count = classes ?? classNames.length;
  if (count < classNames.length) {
    throw new UsageError(
      `train: --classes ${count}, but ${name} has ${classNames.length} classes`,
      `leave it out, or give at least ${classNames.length}`,
    );
  }
  return Array.from({ length: count }, (_, k) => classNames[k] ?? `class ${k}`);
}
