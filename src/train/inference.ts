import { decodeImage } from '../data/index.js';
import type { Device } from '../device.js';
import { noGrad } from '../autograd/recording.js';
import { DataError } from '../errors.js';
import { createModel } from '../models/index.js';
import { softmax } from '../ops/loss.js';
import { readModelFile, type ModelFile } from './checkpoint.js';
import { Classifier } from './classifier.js';
import { modelOptions } from './run_config.js';

/** A trained network on a device, in evaluation mode. */
export async function loadClassifier(
  { config, weights }: Pick<ModelFile, 'config' | 'weights'>,
  open: () => Promise<Device>,
): Promise<Classifier> {
  const device = await open();
  const model = createModel(device, config.model, modelOptions(config));
  model.loadStateDict(weights);
  model.eval();
  return new Classifier(device, model, config);
}

export interface Prediction {
  file: string;
  top: { class: string; probability: number }[];
}

/**
 * The `top` most probable classes of each image file.
 *
 * Errors: DataError for a file that is unreadable, and for weights or an output that are not finite.
 */
export async function predictFiles(
  target: string,
  files: readonly string[],
  options: { top: number },
  open: () => Promise<Device>,
): Promise<Prediction[]> {
  const file = readModelFile(target);
  const { config } = file;
  const [height, width, channels] = config.sourceShape ?? config.imageShape;
  // Every file is read before the device is opened: a wrong name is told at once.
  const images = await Promise.all(
    files.map((file) => decodeImage(file, [height, width], channels as 1 | 3)),
  );
  const classifier = await loadClassifier(file, open);
  const { device } = classifier;
  try {
    const predictions: Prediction[] = [];
    for (const [i, image] of images.entries()) {
      const probabilities = await device.scope(() =>
        noGrad(() => softmax(classifier.logits(device.tensor(image)))).data(),
      );
      if (!probabilities.every(Number.isFinite)) {
        throw new DataError(
          `predict: ${files[i]}: the network’s output is not finite, though its weights are`,
          'train it again with a lower --lr',
        );
      }
      const top = Array.from(probabilities, (probability, k) => ({
        class: config.classNames[k],
        probability,
      }))
        .sort((a, b) => b.probability - a.probability)
        .slice(0, options.top);
      predictions.push({ file: files[i], top });
    }
    return predictions;
  } finally {
    device.destroy();
  }
}
