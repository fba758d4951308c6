import type { ImageDataset } from '../data/index.js';
import { trainerName, TrainingError, wordsFor } from '../errors.js';
import { watchModules, type Module } from '../nn/index.js';
import { mul } from '../ops/elementwise.js';
import type { LossScaleHalt, Optimizer } from '../optim/index.js';
import { sum } from '../ops/reduce.js';
import { runInScope, type Tensor } from '../tensor.js';
import { noGrad } from '../autograd/recording.js';
import { advice, finiteCheckpoint, lowerRate, newRun } from './advice.js';
import type { Classifier } from './classifier.js';
import type { Evaluation } from './evaluate.js';
import type { Progress } from './checkpoint.js';
import { epochBatches, type FitSettings } from './fit_settings.js';

/** A run that has met NaN or infinity. */
export interface FailingRun {
  settings: FitSettings;
  /** The run folder. */
  out: string | null;
  optimizer: Optimizer;
  progress: Progress;
  model: Module;
  train: ImageDataset;
  classifier: Classifier;
  /** Steps done where this process took the run up. */
  resumedAt: number;
}

/** Where a run stands, by a step counted from 1. */
function placeOf({ progress, optimizer }: FailingRun, step = progress.step): string {
  const { lr } = optimizer;
  const rate = lr < 1e6 ? Number(lr.toPrecision(6)) : lr.toExponential();
  return `step ${step} (epoch ${progress.epoch + 1}), learning rate ${rate}`;
}

/**
 * The error for a loss that became NaN or infinite. The optimizers stopped updating at that very
 * step, so running its forward pass again shows which module's output is the first that is not
 * finite. `updates` are those before it, `lastImages` the last batch that was trained on.
 */
export async function nonFiniteLoss(
  run: FailingRun,
  updates: number,
  lastImages: Uint8Array | null,
): Promise<TrainingError> {
  const images = await imagesOf(run, updates, lastImages);
  const origin = await firstNonFinite(run.classifier, images);
  return new TrainingError(
    `${trainerName()}: the loss is not finite at ${placeOf(run, updates + 1)}, first in ${origin}; ` +
      'the parameters are those before that step',
    advice(run, { updates, ...run }),
  );
}

/** The error for an epoch whose losses, each of them finite, add up to more than f32 holds. */
export function overflowingLoss(run: FailingRun): TrainingError {
  return new TrainingError(
    `${trainerName()}: the losses of the epoch add up to more than f32 holds at ${placeOf(run)}`,
    advice(run, { updates: run.progress.step, ...run }),
  );
}

/** The error for a validation or test whose loss is NaN or infinite. */
export async function nonFiniteEvaluation(
  run: FailingRun,
  part: 'validation' | 'test',
  dataset: ImageDataset,
  { losses }: Evaluation,
): Promise<TrainingError> {
  const worst = losses.findIndex((loss) => !Number.isFinite(loss));
  const image = worst === -1 ? null : await dataset.read(Int32Array.of(worst));
  const origin = await firstNonFinite(run.classifier, image);
  const text = `${trainerName()}: the ${part} loss is not finite after ${placeOf(run)}, first in ${origin}`;
  // A test ends a run: its last checkpoint is these very weights, with which validation went well.
  return part === 'test'
    ? new TrainingError(text, newRun(run))
    : new TrainingError(
        `${text}; these weights were not saved`,
        advice(run, { updates: run.progress.step, ...run }),
      );
}

/** The error for weights, or a state of the optimizer, that the last update has broken. */
export function nonFiniteState(run: FailingRun, name: string): TrainingError {
  return new TrainingError(
    `${trainerName()}: ${name} is not finite after ${placeOf(run)}; nothing was saved of it`,
    advice(run, { updates: run.progress.step, ...run }),
  );
}

/**
 * The error for gradients that were not finite though the loss was, and its scale 1. The backward
 * pass meets the last modules first, so the last of those with such a gradient is the origin.
 */
export function nonFiniteGradients(
  run: FailingRun,
  { step, parameters }: LossScaleHalt,
): TrainingError {
  const { out, model, settings, optimizer } = run;
  const name = [...model.namedParameters()]
    .map(([path]) => path)
    .findLast((path) => parameters.includes(path));
  const path = name?.slice(0, Math.max(0, name.lastIndexOf('.'))) ?? '';
  const type = new Map(model.namedModules()).get(path)?.constructor.name ?? 'the network';
  const from = finiteCheckpoint(out) ? ` --init-from ${out}` : '';
  const rate = lowerRate(settings, optimizer.lr);
  return new TrainingError(
    `${trainerName()}: gradients are not finite at ${placeOf(run, step + 1)}, with the loss scale at its lowest, ` +
      `1, nearest to the loss in ${path === '' ? type : `${path} (${type})`}; ` +
      'the parameters are those before that step',
    wordsFor({
      program: `begin anew with a lower learning rate (lr: ${rate}), or in full precision: dtype: 'f32'`,
      commandLine: `begin a new run with a lower learning rate (--lr ${rate}), or in full precision: --dtype f32${from}`,
    }),
  );
}

/** The images of the batch that was trained on at a step of the running epoch. */
async function imagesOf(
  { settings, train, progress }: FailingRun,
  step: number,
  lastImages: Uint8Array | null,
): Promise<Uint8Array | null> {
  const start = progress.batch - (progress.step - step);
  if (start === progress.batch - 1 && lastImages) return lastImages;
  const feed = epochBatches(train, settings, progress.epoch, Math.max(0, start));
  for await (const { images } of feed) return images;
  return null;
}

/** The first module, in the order of the forward pass, whose output is not finite. */
async function firstNonFinite(classifier: Classifier, images: Uint8Array | null): Promise<string> {
  const otherwise = 'the loss itself; every module’s output is finite';
  if (!images) return otherwise;
  const seen: { path: string; type: string; total: Promise<unknown> }[] = [];
  await runInScope(async () => {
    const pixels = classifier.pixels(classifier.device.tensor(images));
    watchModules(
      (module, path, output: Tensor) => {
        // 0·value is 0 for finite values and NaN for all others.
        const total = sum(mul(output.detach(), 0)).item();
        seen.push({ path, type: module.constructor.name, total });
      },
      () => noGrad(() => classifier.model.call(pixels)),
    );
    await Promise.all(seen.map(({ total }) => total));
  });
  for (const { path, type, total } of seen) {
    if (Number.isNaN(await total)) return path === type ? type : `${path} (${type})`;
  }
  return otherwise;
}
