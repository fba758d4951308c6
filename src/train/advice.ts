import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { OptimizerName } from '../optim/index.js';
import { readCheckpoint, type Checkpoint } from './checkpoint.js';
import { firstNonFiniteTensor } from './finite.js';
import { namesRates, parseSchedule } from './learning_rate.js';
import type { RunConfig } from './run_config.js';

/* How to go on after a network has become NaN. */

/** Rates from which networks usually learn. */
const usualRates: Readonly<Record<OptimizerName, number>> = {
  sgd: 1e-2,
  adam: 1e-3,
  adamw: 1e-3,
  rmsprop: 1e-3,
};

/** The `--lr` to go on with: a tenth of what it was, and none that no network learns from. */
export function lowerRate(
  { lr, schedule, optimizer }: Pick<RunConfig, 'lr' | 'schedule' | 'optimizer'>,
  inForce: number,
): number {
  // Elsewhere --lr is what the schedule begins with, whatever it has become.
  const isInForce = namesRates(schedule) || parseSchedule(schedule).name === 'plateau';
  const rate = Math.min((isInForce ? inForce : lr) / 10, usualRates[optimizer]);
  return Number(rate.toPrecision(2));
}

/** The last checkpoint of a run, if all of it is finite. */
export function finiteCheckpoint(folder: string): Checkpoint | null {
  const path = join(folder, 'last.safetensors');
  if (!existsSync(path)) return null;
  const checkpoint = readCheckpoint(path);
  const parts = [checkpoint.weights, checkpoint.optimizer];
  return parts.every((tensors) => firstNonFiniteTensor(tensors) === null) ? checkpoint : null;
}

interface Advised {
  config: RunConfig;
  folder: string;
  optimizer: { lr: number };
}

export function newRun({ config, optimizer }: Advised): string {
  return `begin a new run with a lower learning rate: --lr ${lowerRate(config, optimizer.lr)}`;
}

/**
 * What to do after a run has failed after so many updates: go on from the last checkpoint with a
 * lower rate, or begin anew where there is none, or where a run that went on from it failed before
 * it could change much.
 */
export function advice(
  run: Advised,
  { updates, resumedAt }: { updates: number; resumedAt: number },
): string {
  const { config, folder, optimizer } = run;
  if (updates === 0) {
    return (
      'no parameter has changed yet, so that the rate is not the cause: look at ' +
      `${config.initFrom === null ? '' : '--init-from and '}--normalize`
    );
  }
  const isHopeless = resumedAt > 0 && updates - resumedAt <= 1;
  const checkpoint = isHopeless ? null : finiteCheckpoint(folder);
  if (!checkpoint) return newRun(run);
  const { epoch, batch } = checkpoint.progress;
  return (
    `continue from the checkpoint at epoch ${epoch + 1}, batch ${batch + 1} with a lower ` +
    `learning rate: tilegrad train --resume ${folder} --lr ${lowerRate(config, optimizer.lr)}`
  );
}
