import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { wordsFor } from '../errors.js';
import type { OptimizerName } from '../optim/index.js';
import { readAnyCheckpoint, type Checkpoint } from './checkpoint.js';
import { firstNonFiniteTensor } from './finite.js';
import type { FitSettings } from './fit_settings.js';
import { namesRates, plateauOf } from './learning_rate.js';

/* How to go on after a network has become NaN. */

/** Rates from which networks usually learn. */
const usualRates: Readonly<Record<OptimizerName, number>> = {
  sgd: 1e-2,
  adam: 1e-3,
  adamw: 1e-3,
  rmsprop: 1e-3,
};

/** The rate to continue with: a tenth of what it was, unless that is too small to learn from. */
export function lowerRate(
  { lr, schedule, optimizer }: Pick<FitSettings, 'lr' | 'schedule' | 'optimizer'>,
  inForce: number,
): number {
  // Elsewhere lr is what the schedule begins with, whatever it has become.
  const isInForce =
    typeof schedule !== 'string' || namesRates(schedule) || plateauOf(schedule) !== null;
  const rate = Math.min((isInForce ? inForce : lr) / 10, usualRates[optimizer ?? 'adam']);
  return Number(rate.toPrecision(2));
}

/** The last checkpoint of a run, if all of it is finite. */
export function finiteCheckpoint(folder: string | null): Checkpoint<unknown> | null {
  const path = folder === null ? null : join(folder, 'last.safetensors');
  if (path === null || !existsSync(path)) return null;
  const checkpoint = readAnyCheckpoint(path);
  const parts = [checkpoint.weights, checkpoint.optimizer];
  return parts.every((tensors) => firstNonFiniteTensor(tensors) === null) ? checkpoint : null;
}

interface Advised {
  settings: Pick<FitSettings, 'lr' | 'schedule' | 'optimizer' | 'isPretrained'>;
  out: string | null;
  optimizer: { lr: number };
}

export function newRun({ settings, optimizer }: Advised): string {
  const rate = lowerRate(settings, optimizer.lr);
  return wordsFor({
    program: `begin anew with a lower learning rate: lr: ${rate}`,
    commandLine: `begin a new run with a lower learning rate: --lr ${rate}`,
  });
}

/**
 * What to do after a run has failed after so many updates: go on from the last checkpoint with a
 * lower rate, or begin anew if there is none, or where a run that went on from it failed before
 * it could change much.
 */
export function advice(
  run: Advised,
  { updates, resumedAt }: { updates: number; resumedAt: number },
): string {
  const { settings, out, optimizer } = run;
  if (updates === 0) {
    const what = wordsFor({
      program: 'the initial weights and normalize',
      commandLine: `${settings.isPretrained ? '--init-from and ' : ''}--normalize`,
    });
    return `no parameter has changed yet, so that the rate is not the cause: look at ${what}`;
  }
  const isHopeless = resumedAt > 0 && updates - resumedAt <= 1;
  const checkpoint = isHopeless ? null : finiteCheckpoint(out);
  if (!checkpoint) return newRun(run);
  const { epoch, batch } = checkpoint.progress;
  const rate = lowerRate(settings, optimizer.lr);
  const how = wordsFor({
    program: `resume: true, lr: ${rate}`,
    commandLine: `tilegrad train --resume ${out} --lr ${rate}`,
  });
  return (
    `continue from the checkpoint at epoch ${epoch + 1}, batch ${batch + 1} with a lower ` +
    `learning rate: ${how}`
  );
}
