import { noGrad } from '../autograd/recording.js';
import { decodeEach, decodeImage } from '../data/index.js';
import type { Device } from '../device.js';
import { DataError, optionName, ShapeError, UsageError } from '../errors.js';
import { createModel } from '../models/index.js';
import type { Module } from '../nn/index.js';
import { softmax } from '../ops/loss.js';
import { modelFileText, readModelFile, type ModelFile } from './checkpoint.js';
import { classifierOf, evaluationMode, type Classifier } from './classifier.js';
import { checkOutputs } from './dry_run.js';
import type { ImageOptions } from './fit_options.js';
import { imageFiles } from './image_files.js';
import { modelOptions } from './run_config.js';
import type { CheckpointName } from './settings_type.js';

/** A trained network on a device. */
export async function loadModel(
  { config, weights }: Pick<ModelFile, 'config' | 'weights'>,
  open: () => Promise<Device>,
): Promise<{ device: Device; model: Module }> {
  const device = await open();
  const model = createModel(device, config.model, modelOptions(config));
  model.loadStateDict(weights);
  return { device, model };
}

export interface Prediction {
  /** Of an image that came as a file. */
  file?: string;
  /** The most probable classes; the first is the answer. */
  top: { class: string; probability: number }[];
}

export interface PredictOptions extends ImageOptions {
  /**
   * Height, width and channels (1 grey, 3 colour) of the images: files are brought to it. Default:
   * `input`; one of the two must be there.
   */
  imageShape?: readonly [number, number, number] | undefined;
  /** Names of the network's outputs. Default: '0', '1', … */
  classNames?: readonly string[] | undefined;
  /** Classes to return for each image. Default 5. */
  top?: number | undefined;
}

type ImageShape = readonly [number, number, number];

/** An image as bytes [H W C], and what it is called in errors. */
interface NamedImage {
  file?: string;
  pixels: Uint8Array;
}

/**
 * What a network takes images for: packed bytes [N H W C], or the names of image files.
 *
 * Errors: UsageError for options that are missing or wrong; DataError for a file that is unreadable,
 * before anything is computed, and for an output that is not finite; ShapeError where the network does
 * not take the images, or has not as many outputs as there are names.
 *
 * @example
 * const [{ top }] = await predict(model, ['seven.png'], { input: [28, 28, 1] });
 * top[0]; // { class: '7', probability: 0.998 }
 */
export async function predict(
  model: Module,
  images: Uint8Array | readonly string[],
  options: PredictOptions = {},
): Promise<Prediction[]> {
  const shape = options.imageShape ?? options.input;
  if (!shape) {
    throw new UsageError(
      'predict: expected the shape of the images',
      'pass input: [height, width, channels]',
    );
  }
  const named =
    images instanceof Uint8Array ? unpacked(images, shape) : await decoded(images, shape);
  return predictImages(model, named, shape, options);
}

/** What a run answers about files. */
export interface Predictions {
  /** The file the weights are in, and their epoch. */
  weights: string;
  /** Of the files that could be decoded, in their order. */
  predictions: Prediction[];
  failures: { file: string; reason: string }[];
}

/** Files decoded at a time. */
const AT_ONCE = 64;

/**
 * The same by a run folder or a file of weights, on files and on the images in folders. A file that
 * cannot be decoded does not keep the others from it.
 *
 * Errors: those of `predict`, but for files that cannot be decoded; DataError for weights that are not
 * finite, and for a folder without images.
 */
export async function predictFiles(
  target: string,
  names: readonly string[],
  { top, checkpoint }: { top: number; checkpoint?: CheckpointName | undefined },
  open: () => Promise<Device>,
): Promise<Predictions> {
  const file = readModelFile(target, checkpoint);
  const files = await imageFiles(names);
  const { imageShape: input, sourceShape = input, normalize, dtype, classNames } = file.config;
  const failures: Predictions['failures'] = [];
  const images: NamedImage[] = [];
  const shape = sourceShape as [number, number, number];
  for (let begin = 0; begin < files.length; begin += AT_ONCE) {
    const part = files.slice(begin, begin + AT_ONCE);
    const decoded = await decodeEach(part, shape);
    const broken = new Map(decoded.failures.map((failure) => [failure.index, failure]));
    const bytes = shape[0] * shape[1] * shape[2];
    for (const [index, name] of part.entries()) {
      const failure = broken.get(index);
      if (failure) failures.push({ file: name, reason: failure.message });
      else
        images.push({
          file: name,
          pixels: decoded.pixels.slice(index * bytes, (index + 1) * bytes),
        });
    }
  }
  const weights = modelFileText(file);
  if (images.length === 0) return { weights, failures, predictions: [] };
  const { device, model } = await loadModel(file, open);
  try {
    const options = { input, normalize, dtype, classNames, top };
    const predictions = await predictImages(model, images, sourceShape, options);
    return { weights, failures, predictions };
  } finally {
    device.destroy();
  }
}

async function predictImages(
  model: Module,
  images: readonly NamedImage[],
  shape: ImageShape,
  { classNames, top = 5, ...options }: PredictOptions,
): Promise<Prediction[]> {
  if (!Number.isSafeInteger(top) || top < 1) {
    throw new UsageError(`predict: top: expected a positive whole number, got ${top}`);
  }
  const classifier = classifierOf('predict', model, shape, options);
  const names = classNames ?? [];
  checkOutputs('predict', classifier, { name: 'the images', classNames: names }, names.length > 0);
  const restore = evaluationMode(model);
  try {
    const predictions: Prediction[] = [];
    for (const image of images) {
      const probabilities = [...(await probabilitiesOf(classifier, image))];
      const classes = probabilities.map((probability, k) => ({
        class: classNames?.[k] ?? String(k),
        probability,
      }));
      classes.sort((a, b) => b.probability - a.probability);
      const { file } = image;
      predictions.push({ ...(file === undefined ? {} : { file }), top: classes.slice(0, top) });
    }
    return predictions;
  } finally {
    restore();
  }
}

async function probabilitiesOf(
  classifier: Classifier,
  { pixels, file = 'an image' }: NamedImage,
): Promise<Float32Array> {
  const { device } = classifier;
  const probabilities = await device.scope(() =>
    noGrad(() => softmax(classifier.logits(device.tensor(pixels)))).data(),
  );
  if (probabilities.every(Number.isFinite)) return probabilities as Float32Array;
  throw new DataError(
    `predict: ${file}: the network’s output is not finite, though its weights are`,
    `train it again with a lower ${optionName('lr')}`,
  );
}

function unpacked(images: Uint8Array, shape: ImageShape): NamedImage[] {
  const bytes = shape[0] * shape[1] * shape[2];
  if (images.length === 0 || images.length % bytes !== 0) {
    throw new ShapeError(
      `predict: expected images [N, ${shape.join(', ')}] of ${bytes} bytes each, got ${images.length} bytes`,
    );
  }
  return Array.from({ length: images.length / bytes }, (_, n) => ({
    pixels: images.slice(n * bytes, (n + 1) * bytes),
  }));
}

function decoded(
  files: readonly string[],
  [height, width, channels]: ImageShape,
): Promise<NamedImage[]> {
  if (channels !== 1 && channels !== 3) {
    throw new UsageError(`predict: images have 1 channel (grey) or 3 (colour), got ${channels}`);
  }
  return Promise.all(
    files.map(async (file) => ({
      file,
      pixels: await decodeImage(file, [height, width], channels),
    })),
  );
}
