import type { ImageDataset } from '../data/index.js';
import type { Module } from '../nn/index.js';
import type { Evaluation } from './evaluate.js';
import type { History } from './fit_options.js';
import { countText } from './metrics.js';
import type { RunConfig } from './run_config.js';
import type { RunData } from './run_data.js';
import type { CheckpointName } from './settings_type.js';
import type { FitEnd, FitRun } from './callbacks/index.js';

/* What a run tells people, line by line. */

/** Whose weights a network has. */
export interface JudgedCheckpoint {
  name: CheckpointName;
  epoch: number;
}

/** What a run is judged by at its end: the test set where there is one. */
export interface Judged {
  part: RunData['part'];
  dataset: ImageDataset;
  evaluation: Evaluation;
  /** Whose weights were judged. */
  checkpoint: JudgedCheckpoint;
}

/** Skipped images that are named; of more there is only the count. */
const NAMED = 20;

export function skippedLines(skipped: RunData['skipped']): string[] {
  const lines = skipped.slice(0, NAMED).map(({ file, reason }) => `skipped  ${file}: ${reason}`);
  return skipped.length > NAMED ? [...lines, `${skippedText(skipped.length)} in all`] : lines;
}

/** What is worth telling people of a run, at its beginning and in its report. */
export function notesOf({ labelSmoothing }: RunConfig, { notes }: RunData): string[] {
  if (labelSmoothing === 0) return [...notes];
  const text =
    `the training loss contains label smoothing (${labelSmoothing}), so it stays above that of ` +
    'validation and test, which do not';
  return [...notes, text];
}

export function skippedText(count: number): string {
  return `skipped ${count} ${count === 1 ? 'image' : 'images'} that cannot be decoded`;
}

/** How much of the training time went by waiting for images. */
export function inputLine({ epochs }: History): string[] {
  const seconds = epochs.reduce((sum, row) => sum + row.seconds, 0);
  const waited = epochs.reduce((sum, row) => sum + row.inputSeconds, 0);
  if (seconds === 0) return [];
  return [`waited for images ${((100 * waited) / seconds).toFixed(2)} % of the training time`];
}

/** With the running statistics of batch norm, as published counts have them. */
export function parameterCount(model: Module): number {
  return [...model.stateDict().values()].reduce((sum, { size }) => sum + size, 0);
}

export function trainedCount(model: Module): number {
  const trained = [...model.parameters()].filter(({ requiresGrad }) => requiresGrad);
  return trained.reduce((sum, { size }) => sum + size, 0);
}

/** `best checkpoint, of epoch 57`. */
export function checkpointText({ name, epoch }: JudgedCheckpoint): string {
  return `${name} checkpoint, of epoch ${epoch}`;
}

export function resultLines({ part, checkpoint, evaluation }: Judged): string[] {
  const { loss, accuracy, count } = evaluation;
  const percent = (100 * accuracy).toFixed(2);
  return [
    `judged   ${checkpointText(checkpoint)} (--checkpoint)`,
    `${part}: loss ${loss.toFixed(4)}, accuracy ${percent} % of ${countText(accuracy, count)}`,
  ];
}

export function endLines(
  end: FitEnd,
  { overfit, earlyStopping, epochs }: RunConfig,
  { epochs: history }: History,
  folder: string,
): string[] {
  const accuracy = history.at(-1)?.accuracy ?? 0;
  if (end === 'interrupted') {
    return [`stopped and saved; continue with: tilegrad train --resume ${folder}`];
  }
  if (end === 'learned') {
    return [`learned all training images by heart in ${history.length} epochs`];
  }
  if (overfit) {
    return [
      `learned ${(100 * accuracy).toFixed(2)} % of the training images by heart in ${epochs} epochs, not all`,
      'fix: give it more --epochs, or look for the fault in the network',
    ];
  }
  if (end === 'no better') {
    return [`stopped early: ${earlyStopping} epochs without a lower validation loss`];
  }
  return [];
}

/** What a run is about, said before its first step. */
export function announcement(
  { device, model, step, epoch, batch }: FitRun,
  config: RunConfig,
  { train, validation, part, test }: RunData,
): string[] {
  const { info } = device;
  const kind = info.isSoftware ? ' (software: correct, not fast)' : '';
  const tuned = device.runtime.choices.size;
  const all = parameterCount(model);
  const trained = trainedCount(model);
  const some = trained < all ? `, ${trained.toLocaleString('en-US')} of them trained` : '';
  return [
    `adapter  ${info.description}${kind}`,
    ...(tuned > 0 ? [`kernels  ${tuned} tuned choices`] : []),
    `data     ${config.data}: ${train.size} training, ${validation.size} ${part}` +
      `${test ? `, ${test.size} test` : ''} images of ${config.imageShape.join('×')}, ${config.classNames.length} classes`,
    `model    ${config.model}: ${all.toLocaleString('en-US')} parameters${some}`,
    ...(step > 0 ? [`resumed  at epoch ${epoch + 1}, batch ${batch + 1}`] : []),
  ];
}
