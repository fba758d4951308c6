import type { Batch } from '../data/index.js';
import type { GpuArray } from '../gpu/array.js';
import {
  newStatistics,
  readStatistics,
  recordStatistics,
  resetStatistics,
  type TrainingStatistics,
} from '../kernels/training_statistics.js';
import { mul } from '../ops/elementwise.js';
import { softmaxCrossEntropy } from '../ops/loss.js';
import { clipGradNorm, type Optimizer } from '../optim/index.js';
import type { Tensor } from '../tensor.js';
import type { Classifier } from './classifier.js';
import type { Settings } from './settings.js';

type StepSettings = Pick<
  Settings,
  'batchSize' | 'lossReduction' | 'labelSmoothing' | 'clipNorm'
> & {
  /** A factor for each class. */
  classWeights?: Tensor | null;
};

/** The part of a batch that is trained on. */
export type TrainingBatch = Pick<Batch, 'size' | 'images' | 'labels'>;

/**
 * One step of training: forward, loss, backward, update. It is captured once and replayed for every
 * full batch; sums over the epoch stay on the GPU.
 */
export class TrainingStep {
  private readonly statistics: GpuArray;
  private captured;

  constructor(
    private readonly classifier: Classifier,
    private readonly optimizer: Optimizer,
    private readonly settings: StepSettings,
    private readonly isCaptured: boolean,
  ) {
    this.statistics = newStatistics(classifier.device.runtime);
    optimizer.guard = { array: this.statistics, word: 4 };
    this.captured = this.capture();
  }

  /** Trains on one batch; a last, smaller one is not captured. */
  run(batch: TrainingBatch): void {
    if (batch.size === this.settings.batchSize && this.isCaptured) {
      this.captured(batch.images, batch.labels);
      this.classifier.device.runtime.flush();
    } else this.runPlain(batch);
  }

  /** The same without a capture. */
  runPlain({ images, labels }: TrainingBatch): void {
    const { device } = this.classifier;
    device.scope(() => {
      this.record(device.tensor(images), device.tensor(labels));
    });
    device.runtime.flush();
  }

  /** Captures anew: what is trained has changed. */
  recapture(): void {
    this.captured.dispose();
    this.captured = this.capture();
  }

  /** Starts an epoch's sums, or continues with those of a checkpoint. */
  reset(totals: { lossSum: number; correct: number; count: number; steps: number }): void {
    resetStatistics(this.classifier.device.runtime, this.statistics, totals);
  }

  read(): Promise<TrainingStatistics> {
    return readStatistics(this.classifier.device.runtime, this.statistics);
  }

  dispose(): void {
    this.captured.dispose();
    this.optimizer.guard = null;
    this.statistics.release();
  }

  private capture() {
    return this.classifier.device.capture<[Uint8Array, Int32Array], Tensor>((images, labels) =>
      this.record(images, labels),
    );
  }

  private record(images: Tensor, labels: Tensor): Tensor {
    const { classifier, optimizer, statistics } = this;
    const { lossReduction: reduction, labelSmoothing, classWeights, clipNorm } = this.settings;
    const { runtime } = classifier.device;
    const logits = classifier.logits(images);
    const loss = softmaxCrossEntropy(logits, labels, {
      ...{ reduction, labelSmoothing, classWeights: classWeights ?? undefined },
    });
    const mean = reduction === 'mean' ? loss : mul(loss.detach(), 1 / logits.shape[0]);
    recordStatistics(runtime, statistics, logits.gpuArray, labels.gpuArray, mean.gpuArray);
    optimizer.zeroGrad();
    loss.backward(optimizer.scaler?.scale);
    if (clipNorm !== null) {
      optimizer.scaler?.unscale();
      clipGradNorm(classifier.model.parameters(), clipNorm);
    }
    optimizer.step();
    return mean;
  }
}
