import { join } from 'node:path';
import { pictureGrid, type Batch, type ImageDataset } from '../data/index.js';
import { EventWriter } from '../io/tensorboard.js';
import type { Module } from '../nn/index.js';
import type { LossScaleState } from '../optim/index.js';
import type { Progress } from './checkpoint.js';
import {
  writeHistory,
  writeValidations,
  type EpochMetrics,
  type ValidationMetrics,
} from './history.js';
import type { Settings } from './settings.js';

/** Pictures of training images that TensorBoard shows. */
const PICTURES = 24;

/**
 * What a run leaves to be looked at while it goes on: CSV tables, and TensorBoard events in
 * `events/train` and `events/validation`, where curves of one name lie over each other.
 */
export class RunLog {
  private readonly writers = new Map<string, EventWriter>();

  constructor(
    private readonly folder: string,
    private readonly scope: Settings['tensorboard'],
    /** Where a run goes on, counted from 1; what was broken off after that is not shown. */
    private readonly resumedAt: { epoch: number; step: number } | null = null,
  ) {}

  /** Writes the tables as a checkpoint has them: a run may be killed between the two. */
  resume({ history, validations }: Pick<Progress, 'history' | 'validations'>): void {
    if (history.length > 0) writeHistory(this.folder, history);
    if (validations.length > 0) writeValidations(this.folder, validations);
  }

  /** How an epoch ended. */
  epoch(row: EpochMetrics, history: readonly EpochMetrics[]): void {
    writeHistory(this.folder, history);
    if (this.scope === 'off') return;
    const { epoch } = row;
    const [train, validation] = [this.events('train'), this.events('validation')];
    train.scalar('loss', row.loss, epoch);
    train.scalar('accuracy', row.accuracy, epoch);
    train.scalar('learning rate', row.learningRate, epoch);
    train.scalar('images per second', row.imagesPerSecond, epoch);
    validation.scalar('loss', row.valLoss, epoch);
    validation.scalar('accuracy', row.valAccuracy, epoch);
  }

  /** The scale of the loss after an epoch, and the steps that overflowed so far. */
  lossScale({ scale, skippedSteps }: LossScaleState, epoch: number): void {
    if (this.scope === 'off') return;
    const events = this.events('train');
    events.scalar('loss scale', scale, epoch);
    events.scalar('skipped steps', skippedSteps, epoch);
  }

  /** How a validation within an epoch went. */
  validation(row: ValidationMetrics, rows: readonly ValidationMetrics[]): void {
    writeValidations(this.folder, rows);
    if (this.scope === 'off') return;
    // Apart from the curves by epoch: what is broken off is cut at a step here, not at an epoch.
    const events = this.events('validation-by-step', this.resumedAt?.step);
    events.scalar('loss', row.valLoss, row.step);
    events.scalar('accuracy', row.valAccuracy, row.step);
  }

  /** Distributions of all parameters after an epoch. */
  async weights(model: Module, epoch: number): Promise<void> {
    if (this.scope !== 'all') return;
    for (const [name, parameter] of model.namedParameters()) {
      this.events('train').histogram(name, (await parameter.data()) as Float32Array, epoch);
    }
  }

  /** The network as text, and the first training images as the network gets them. */
  async begin(
    model: Module,
    { classNames }: Pick<ImageDataset, 'classNames'>,
    batch: Batch,
    seen: { pixels: Uint8Array; imageShape: readonly [number, number, number] },
  ): Promise<void> {
    if (this.scope !== 'all') return;
    const events = this.events('train');
    events.text('network', `\`\`\`\n${model.toString()}\n\`\`\``, 0);
    const bytes = seen.pixels.length / batch.size;
    const pictures = Array.from({ length: Math.min(PICTURES, batch.size) }, (_, i) => ({
      pixels: seen.pixels.subarray(i * bytes, (i + 1) * bytes),
      captions: [classNames[batch.labels[i]]],
    }));
    const grid = await pictureGrid(pictures, { imageShape: seen.imageShape });
    events.image('training images', grid, 0);
  }

  private events(name: string, resumedAt = this.resumedAt?.epoch): EventWriter {
    let writer = this.writers.get(name);
    if (!writer) {
      const options = resumedAt === undefined ? {} : { resumedAt };
      writer = new EventWriter(join(this.folder, 'events', name), options);
      this.writers.set(name, writer);
    }
    return writer;
  }
}
