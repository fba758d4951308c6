import { batches, type Batch } from '../data/index.js';
import { TrainingError } from '../gpu/errors.js';
import { watchModules } from '../nn/index.js';
import { mul } from '../ops/elementwise.js';
import type { LossScaleHalt } from '../optim/index.js';
import { sum } from '../ops/reduce.js';
import { runInScope, type Tensor } from '../tensor.js';
import { noGrad } from '../autograd/recording.js';
import type { Classifier } from './classifier.js';
import type { TrainerOptions } from './trainer.js';

/**
 * The error for a loss that became NaN or infinite. The optimizers stopped updating at that very
 * step, so running its forward pass again shows which module's output is the first that is not
 * finite.
 */
export async function nonFiniteLoss(
  classifier: Classifier,
  options: TrainerOptions,
  badStep: number,
  lastBatch: Batch | null,
): Promise<TrainingError> {
  const { folder, optimizer, progress } = options;
  const origin = await firstNonFinite(classifier, await batchOf(options, badStep, lastBatch));
  const where = origin ?? 'the loss itself; every module’s output is finite';
  return new TrainingError(
    `train: the loss is not finite at step ${badStep + 1} (epoch ${progress.epoch + 1}), ` +
      `learning rate ${optimizer.lr}, first in ${where}; the parameters are those before that step`,
    `lower the learning rate (--lr ${optimizer.lr / 10}), or continue from the last checkpoint: ` +
      `tilegrad train --resume ${folder} --lr ${optimizer.lr / 10}`,
  );
}

/**
 * The error for gradients that were not finite though the loss was, and its scale 1. The backward
 * pass meets the last modules first, so the last of those with such a gradient is the origin.
 */
export function nonFiniteGradients(
  { folder, model, optimizer, progress }: TrainerOptions,
  { step, parameters }: LossScaleHalt,
): TrainingError {
  const name = [...model.namedParameters()]
    .map(([path]) => path)
    .findLast((path) => parameters.includes(path));
  const path = name?.slice(0, Math.max(0, name.lastIndexOf('.'))) ?? '';
  const type = new Map(model.namedModules()).get(path)?.constructor.name ?? 'the network';
  return new TrainingError(
    `train: gradients are not finite at step ${step + 1} (epoch ${progress.epoch + 1}) with the ` +
      `loss scale at its lowest, 1, learning rate ${optimizer.lr}, nearest to the loss in ` +
      `${path === '' ? type : `${path} (${type})`}; the parameters are those before that step`,
    `lower the learning rate (--lr ${optimizer.lr / 10}), or train in full precision: ` +
      `--dtype f32 --init-from ${folder}`,
  );
}

/** The batch that was trained on at a step of the running epoch. */
async function batchOf(
  { config, train, progress }: TrainerOptions,
  step: number,
  lastBatch: Batch | null,
): Promise<Batch | null> {
  const start = progress.batch - (progress.step - step);
  if (start === progress.batch - 1 && lastBatch) return lastBatch;
  const shuffle = { seed: config.seed, epoch: progress.epoch };
  const { batchSize, dropLast } = config;
  const feed = batches(train, { batchSize, dropLast, shuffle, start: Math.max(0, start) });
  for await (const batch of feed) return batch;
  return null;
}

async function firstNonFinite(classifier: Classifier, batch: Batch | null): Promise<string | null> {
  if (!batch) return null;
  const seen: { path: string; type: string; total: Promise<unknown> }[] = [];
  await runInScope(async () => {
    const pixels = classifier.pixels(classifier.device.tensor(batch.images));
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
  return null;
}
