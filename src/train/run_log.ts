import { join } from 'node:path';
import { pictureGrid, type Batch, type ImageDataset } from '../data/index.js';
import { EventWriter } from '../io/tensorboard.js';
import type { Module } from '../nn/index.js';
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
  private writers: { train: EventWriter; validation: EventWriter } | null = null;

  constructor(
    private readonly folder: string,
    private readonly scope: Settings['tensorboard'],
  ) {}

  /** How an epoch ended. */
  epoch(row: EpochMetrics, history: readonly EpochMetrics[]): void {
    writeHistory(this.folder, history);
    const events = this.events();
    if (!events) return;
    const { epoch } = row;
    events.train.scalar('loss', row.loss, epoch);
    events.train.scalar('accuracy', row.accuracy, epoch);
    events.train.scalar('learning rate', row.learningRate, epoch);
    events.train.scalar('images per second', row.imagesPerSecond, epoch);
    events.validation.scalar('loss', row.valLoss, epoch);
    events.validation.scalar('accuracy', row.valAccuracy, epoch);
  }

  /** How a validation within an epoch went. */
  validation(row: ValidationMetrics, rows: readonly ValidationMetrics[]): void {
    writeValidations(this.folder, rows);
    const events = this.events();
    events?.validation.scalar('loss by step', row.valLoss, row.step);
    events?.validation.scalar('accuracy by step', row.valAccuracy, row.step);
  }

  /** Distributions of all parameters after an epoch. */
  async weights(model: Module, epoch: number): Promise<void> {
    if (this.scope !== 'all') return;
    for (const [name, parameter] of model.namedParameters()) {
      this.events()?.train.histogram(name, (await parameter.data()) as Float32Array, epoch);
    }
  }

  /** The network as text, and the first training images as the network gets them. */
  async begin(
    model: Module,
    { classNames }: Pick<ImageDataset, 'classNames'>,
    batch: Batch,
    seen: { pixels: Uint8Array; imageShape: readonly [number, number, number] },
  ): Promise<void> {
    const events = this.events();
    if (!events || this.scope !== 'all') return;
    events.train.text('network', `\`\`\`\n${model.toString()}\n\`\`\``, 0);
    const bytes = seen.pixels.length / batch.size;
    const pictures = Array.from({ length: Math.min(PICTURES, batch.size) }, (_, i) => ({
      pixels: seen.pixels.subarray(i * bytes, (i + 1) * bytes),
      captions: [classNames[batch.labels[i]]],
    }));
    const grid = await pictureGrid(pictures, { imageShape: seen.imageShape });
    events.train.image('training images', grid, 0);
  }

  private events(): RunLog['writers'] {
    if (this.scope === 'off') return null;
    const open = (name: string): EventWriter => new EventWriter(join(this.folder, 'events', name));
    this.writers ??= { train: open('train'), validation: open('validation') };
    return this.writers;
  }
}
