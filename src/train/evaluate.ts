import { batches, type ImageDataset } from '../data/index.js';
import { noGrad } from '../autograd/recording.js';
import { softmax, softmaxCrossEntropy } from '../ops/loss.js';
import { optionName, TrainingError } from '../errors.js';
import type { Module } from '../nn/index.js';
import type { Tensor } from '../tensor.js';
import { classifierOf, evaluationMode, type Classifier } from './classifier.js';
import { checkOutputs } from './dry_run.js';
import type { ImageOptions } from './fit_options.js';

/** How a network does on a dataset. */
export interface Evaluation {
  loss: number;
  accuracy: number;
  count: number;
  /** Probabilities [count, K], row by row in the dataset's order. */
  probabilities: Float32Array;
  /** The most probable class of each example. */
  predictions: Int32Array;
  /** Cross-entropy of each example. */
  losses: Float32Array;
}

export interface EvaluateOptions extends ImageOptions {
  /** Images at a time: a whole number from 1. Default 128. */
  batchSize?: number | undefined;
  /** Called, and waited for, after each batch. */
  onBatch?: ((done: number, total: number) => void | Promise<void>) | undefined;
}

/**
 * How a network does on labelled images. Its modules keep their modes; no gradient is computed.
 *
 * Errors: ShapeError if the network does not take the images, or gives fewer outputs than there
 * are classes; DataError for data without an image; TrainingError if a loss is not finite.
 *
 * @example
 * const { accuracy, predictions } = await evaluate(model, test);
 */
export async function evaluate(
  model: Module,
  dataset: ImageDataset,
  options: EvaluateOptions = {},
): Promise<Evaluation> {
  const classifier = classifierOf('evaluate', model, dataset.imageShape, options);
  checkOutputs('evaluate', classifier, dataset, false);
  const evaluator = new Evaluator(classifier);
  const restore = evaluationMode(model);
  const evaluation = await evaluator.run(dataset, options).finally(() => {
    restore();
    evaluator.dispose();
  });
  if (Number.isFinite(evaluation.loss)) return evaluation;
  const { losses, count } = evaluation;
  const bad = losses.filter((loss) => !Number.isFinite(loss)).length;
  throw new TrainingError(
    `evaluate: the loss is not finite for ${bad} of ${count} images of ${dataset.name}`,
    `train the network again with a lower ${optionName('lr')}`,
  );
}

type ForwardResult = { losses: Tensor; probabilities: Tensor };

/** The forward pass of evaluation, captured once and used for every full batch. */
export class Evaluator {
  private readonly captured;

  constructor(private readonly classifier: Classifier) {
    this.captured = classifier.device.capture<[Uint8Array, Int32Array], ForwardResult>(
      (images, labels) => this.forward(images, labels),
    );
  }

  /** Loss, accuracy and probabilities of a whole dataset; the model must be in evaluation mode. */
  async run(
    dataset: ImageDataset,
    options: Pick<EvaluateOptions, 'batchSize' | 'onBatch'> = {},
  ): Promise<Evaluation> {
    const { batchSize = 128, onBatch } = options;
    const { device } = this.classifier;
    // As many as the network has outputs, which may be more than the data has classes.
    let classes = 0;
    let probabilities = new Float32Array(0);
    const losses = new Float32Array(dataset.size);
    let done = 0;
    for await (const batch of batches(dataset, { batchSize })) {
      const isFull = batch.size === batchSize;
      const read = async ({ losses: l, probabilities: p }: ForwardResult): Promise<void> => {
        const [lossValues, probabilityValues] = await Promise.all([l.data(), p.data()]);
        losses.set(lossValues, done);
        if (done === 0) {
          classes = p.shape[1];
          probabilities = new Float32Array(dataset.size * classes);
        }
        probabilities.set(probabilityValues, done * classes);
      };
      if (isFull) await read(this.captured(batch.images, batch.labels));
      else {
        await device.scope(() =>
          read(this.forward(device.tensor(batch.images), device.tensor(batch.labels))),
        );
      }
      done += batch.size;
      await onBatch?.(done, dataset.size);
    }
    return summarize(dataset, losses, probabilities, classes);
  }

  dispose(): void {
    this.captured.dispose();
  }

  private forward(images: Tensor, labels: Tensor): ForwardResult {
    return noGrad(() => {
      const logits = this.classifier.logits(images);
      return {
        losses: softmaxCrossEntropy(logits, labels, { reduction: 'none' }),
        probabilities: softmax(logits),
      };
    });
  }
}

function summarize(
  dataset: ImageDataset,
  losses: Float32Array,
  probabilities: Float32Array,
  classes: number,
): Evaluation {
  const count = dataset.size;
  const predictions = new Int32Array(count);
  let correct = 0;
  let lossSum = 0;
  for (let n = 0; n < count; n++) {
    let best = 0;
    for (let k = 1; k < classes; k++) {
      if (probabilities[n * classes + k] > probabilities[n * classes + best]) best = k;
    }
    predictions[n] = best;
    if (best === dataset.labels[n]) correct++;
    lossSum += losses[n];
  }
  return {
    ...{ loss: lossSum / count, accuracy: correct / count, count },
    ...{ probabilities, predictions, losses },
  };
}
