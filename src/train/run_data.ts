import {
  limit as limitDataset,
  openDataset,
  split,
  type ImageDataset,
  type OpenedData,
  type OpenOptions,
  type SkippedImage,
} from '../data/index.js';
import { TrainingError, UsageError } from '../errors.js';
import { fittingInput, fittingNotes, fittingSettings, type PictureFacts } from './fitting.js';
import { checkNormalization } from './normalization.js';
import type { RunConfig } from './run_config.js';
import type { Settings } from './settings.js';

/** What a run trains on and is judged by. */
export interface RunData {
  train: ImageDataset;
  validation: ImageDataset;
  /** What `validation` is; 'test' only where the settings ask for it. */
  part: 'test' | 'validation' | 'training';
  /** The data's own test set, judged once at the end; null if there is none or `validation` is it. */
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
  /** Settings that were chosen by looking at the data. */
  fitted: FittedSettings;
}

/** Settings that followed from the data. */
export type FittedSettings = Partial<Omit<Settings, 'data'>>;

/** Which settings are open to be chosen, none by default. */
export type IsOpen = (key: keyof Settings) => boolean;

/** Share of the training images that a network must be able to learn by heart. */
const OVERFIT_SHARE = 0.01;

/**
 * Opens the data of a run: the same images in the same parts for the same config. Settings that are
 * open are chosen to suit the data.
 */
export async function openRunData(
  asked: RunConfig,
  onDecoded: (done: number, total: number) => void,
  isOpen: IsOpen = () => false,
): Promise<RunData> {
  const look = new Look(asked, isOpen);
  const options = { ...openOptions(asked), ...look.options };
  const opened = await openDataset(asked.data, { ...options, onProgress: onDecoded });
  const { fitted, notes: chosen } = look.settings(opened);
  const config = { ...asked, ...fitted };
  const { train, validation, part, test } = config.overfit
    ? toLearnByHeart(opened, config)
    : limited(roles(opened, config), config);
  const [height, width, channels] = train.imageShape;
  const imageShape = config.input ?? ([height, width, channels] as const);
  if (config.dropLast && train.size < config.batchSize) {
    throw new TrainingError(
      `train: ${train.size} training images do not fill one batch of ${config.batchSize}, and ` +
        'incomplete batches are left out',
      `lower --batch-size${config.limit === null ? '' : ', raise --limit'} or pass --no-drop-last`,
    );
  }
  checkNormalization('train', config.normalize, imageShape[2]);
  const classNames = namedClasses(config, train);
  const { skipped } = opened;
  const notes = [...opened.notes, ...chosen];
  if (part === 'test') notes.push(SELECTED_ON_TEST);
  if (train.size < config.batchSize) {
    notes.push(`the ${train.size} training images are one batch: --batch-size ${config.batchSize}`);
  }
  const unused = part === 'validation' ? undefined : opened.validation;
  if (unused) notes.push(`${unused.name}: ${unused.size} validation images are not used`);
  const parts = [opened.train, opened.validation, opened.test].filter((one) => one !== undefined);
  return {
    ...{ train, validation, part, test, parts, imageShape, classNames, notes, skipped },
    fitted,
  };
}

/** What is chosen for the data at hand: the size as they are opened, the other settings afterwards. */
class Look {
  private sizes: readonly (readonly [number, number])[] = [];
  private input: Settings['input'] = null;

  constructor(
    private readonly asked: RunConfig,
    private readonly isOpen: IsOpen,
  ) {}

  get options(): Pick<OpenOptions, 'pickSize'> {
    if (!this.isOpen('input')) return {};
    return {
      pickSize: (sizes) => {
        this.sizes = sizes;
        const [height, width] = fittingInput(sizes);
        this.input = [height, width, 3];
        return [height, width];
      },
    };
  }

  settings({ train, validation, test }: OpenedData): { fitted: FittedSettings; notes: string[] } {
    const { limit, validateOn } = this.asked;
    const facts: PictureFacts = {
      ...{ images: Math.min(train.size, limit ?? Infinity), classNames: train.classNames },
      heldOut: (validateOn === 'test' ? test : validation)?.size ?? null,
    };
    const all = { ...fittingSettings(facts), ...(this.input ? { input: this.input } : {}) };
    const open = Object.entries(all).filter(([key]) => this.isOpen(key as keyof Settings));
    const fitted: FittedSettings = Object.fromEntries(open);
    return { fitted, notes: fittingNotes(fitted, this.sizes, facts) };
  }
}

type Roles = Pick<RunData, 'train' | 'validation' | 'part' | 'test'>;

const SELECTED_ON_TEST =
  'the test set is looked at after every epoch (--validate-on test): the best checkpoint is selected' +
  ' on it, and so are early stopping and a plateau';

/**
 * What each part of the data is for. The test set is left for the end: what steers a run (best
 * checkpoint, early stopping, plateau) is the data's validation part, or else a share of the training
 * part.
 */
function roles({ train, validation, test }: OpenedData, config: RunConfig): Roles {
  if (config.validateOn === 'test') {
    if (test) return { train, validation: test, part: 'test', test: null };
    throw new UsageError(
      `train: --validate-on test, but ${train.name} has no test set`,
      'leave out --validate-on',
    );
  }
  const parts = validation ? { train, validation } : held(train, config, test !== undefined);
  return { ...parts, part: 'validation', test: test ?? null };
}

/** Each part with at most `--limit` images, drawn evenly from its classes. */
function limited(all: Roles, { limit, seed }: RunConfig): Roles {
  if (limit === null) return all;
  const some = (dataset: ImageDataset): ImageDataset =>
    limit < dataset.size ? limitDataset(dataset, limit, { seed, stratified: true }) : dataset;
  const { train, validation, test } = all;
  return { ...all, train: some(train), validation: some(validation), test: test && some(test) };
}

function toLearnByHeart({ train: all }: OpenedData, { limit, batchSize, seed }: RunConfig): Roles {
  const size = limit ?? overfitSize(all.size, batchSize);
  const train = limitDataset(all, size, { seed, stratified: true });
  return { train, validation: train, part: 'training', test: null };
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

function held(
  dataset: ImageDataset,
  { validationShare, split: how, seed }: RunConfig,
  hasTest: boolean,
) {
  if (validationShare === 0) {
    throw new UsageError(
      `train: --validation-share 0, but ${dataset.name} has no validation set`,
      `hold out a share, such as 0.1${hasTest ? ', or pass --validate-on test' : ''}`,
    );
  }
  return split(dataset, {
    ...{ fraction: validationShare, seed, stratified: how !== 'random' },
    byGroup: how === 'groups' || (how === 'auto' && dataset.groups !== undefined),
  });
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
