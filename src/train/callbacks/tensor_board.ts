import { join } from 'node:path';
import { pictureGrid } from '../../data/index.js';
import { EventWriter } from '../../io/tensorboard.js';
import type { Module } from '../../nn/index.js';
import type { EpochMetrics } from '../history.js';
import { OwnCallback, type Callback, type FitRun, type ValidationResult } from './callback.js';

/** Pictures of training images that TensorBoard shows. */
const PICTURES = 24;

export interface TensorBoardOptions {
  /** Where `train` and `validation` are made, whose curves of one name lie over each other. */
  folder: string;
  /**
   * 'scalars': the curves. 'all': also the distribution of every parameter after each epoch, the
   * first training images as the network gets them, and the network as text. Default 'all'.
   */
  what?: 'all' | 'scalars' | undefined;
}

class TensorBoard extends OwnCallback {
  private readonly writers = new Map<string, EventWriter>();
  private readonly isFull: boolean;
  /** Where a run goes on, counted from 1; what was broken off after that is not shown. */
  private resumedAt: { epoch: number; step: number } | null = null;

  constructor(private readonly options: TensorBoardOptions) {
    super();
    this.isFull = options.what !== 'scalars';
  }

  override async onBegin(run: FitRun): Promise<void> {
    if (run.step > 0) this.resumedAt = { epoch: run.epoch + 1, step: run.step + 1 };
    else if (this.isFull) await this.showBeginning(run);
  }

  override onValidation(result: ValidationResult): void {
    if (!result.isWithinEpoch) return;
    // Apart from the curves by epoch: what is broken off is cut at a step here, not at an epoch.
    const events = this.events('validation-by-step', this.resumedAt?.step);
    events.scalar('loss', result.valLoss, result.step);
    events.scalar('accuracy', result.valAccuracy, result.step);
  }

  override async onEpoch(row: EpochMetrics, { lossScale, model }: FitRun): Promise<void> {
    const { epoch, valLoss, valAccuracy } = row;
    const train = this.events('train');
    train.scalar('loss', row.loss, epoch);
    train.scalar('accuracy', row.accuracy, epoch);
    train.scalar('learning rate', row.learningRate, epoch);
    train.scalar('images per second', row.imagesPerSecond, epoch);
    if (valLoss !== null) this.events('validation').scalar('loss', valLoss, epoch);
    if (valAccuracy !== null) this.events('validation').scalar('accuracy', valAccuracy, epoch);
    if (lossScale) {
      train.scalar('loss scale', lossScale.scale, epoch);
      train.scalar('skipped steps', lossScale.skippedSteps, epoch);
    }
    if (this.isFull) await this.showWeights(model, epoch);
  }

  private async showWeights(model: Module, epoch: number): Promise<void> {
    for (const [name, parameter] of model.namedParameters()) {
      this.events('train').histogram(name, (await parameter.data()) as Float32Array, epoch);
    }
  }

  private async showBeginning(run: FitRun): Promise<void> {
    const events = this.events('train');
    events.text('network', `\`\`\`\n${run.model.toString()}\n\`\`\``, 0);
    const { pixels, labels, imageShape } = await run.firstPictures();
    const bytes = pixels.length / labels.length;
    const pictures = [...labels.subarray(0, PICTURES)].map((label, i) => ({
      pixels: pixels.subarray(i * bytes, (i + 1) * bytes),
      captions: [run.train.classNames[label]],
    }));
    events.image('training images', await pictureGrid(pictures, { imageShape }), 0);
  }

  private events(name: string, resumedAt = this.resumedAt?.epoch): EventWriter {
    let writer = this.writers.get(name);
    if (!writer) {
      const options = resumedAt === undefined ? {} : { resumedAt };
      writer = new EventWriter(join(this.options.folder, name), options);
      this.writers.set(name, writer);
    }
    return writer;
  }
}

/** Writes event files for TensorBoard: `tensorboard --logdir` the folder, or one above it. */
export function tensorBoard(options: TensorBoardOptions): Callback {
  return new TensorBoard(options);
}
