import { noGrad } from '../autograd/recording.js';
import type { Device } from '../device.js';
import { reportOff, summaryLines, type TuneReport } from '../tune/report.js';
import { createModel, type Shortcut } from '../models/index.js';
import { softmaxCrossEntropy } from '../ops/loss.js';
import type { OperandType } from '../ops/mixed_precision.js';
import { Classifier } from './classifier.js';

export interface ModelShapes {
  model: string;
  imageShape: readonly [number, number, number];
  classes: number;
  shortcut?: Shortcut | null;
  batchSize: number;
  dtype: OperandType;
}

/**
 * Tunes the kernels that training and evaluating a network of these shapes runs. A network of its
 * own is built for it and thrown away, and the random stream is put back: what follows has the
 * same weights and draws as without.
 */
export async function tuneModel(
  device: Device,
  { model: name, imageShape, classes, shortcut, batchSize, dtype }: ModelShapes,
  say: (text: string) => void,
): Promise<TuneReport> {
  const { random, choices } = device.runtime;
  if (choices.isTuningOff) return reportOff(say);
  const { position } = random;
  const model = createModel(device, name, {
    ...{ input: imageShape, classes, shortcut: shortcut ?? undefined },
  });
  try {
    const classifier = new Classifier(device, model, { imageShape, dtype });
    const pixels = imageShape[0] * imageShape[1] * imageShape[2];
    const report = await device.tune(
      () => {
        const images = device.tensor(new Uint8Array(batchSize * pixels).fill(128));
        const labels = device.tensor(new Int32Array(batchSize));
        model.train();
        softmaxCrossEntropy(classifier.logits(images), labels).backward();
        model.eval();
        noGrad(() => classifier.logits(images));
      },
      { say },
    );
    for (const line of summaryLines(report)) say(line);
    return report;
  } finally {
    model.dispose();
    random.position = position;
  }
}
