import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Module } from '../nn/index.js';
import { readAnyCheckpoint } from './checkpoint.js';
import { evaluate, type Evaluation } from './evaluate.js';
import type { History } from './fit_options.js';
import type { RunConfig } from './run_config.js';
import type { RunData } from './run_data.js';
import type { Judged, JudgedCheckpoint } from './run_text.js';
import type { CheckpointName } from './settings_type.js';

/** What ends an evaluation: no error. */
const ABORTED = Symbol('aborted');

/**
 * Judges a run by its test set, else by what it was validated on, with the weights of the checkpoint
 * that its settings name; the model then has those. Null where the signal breaks it off.
 *
 * Errors: TrainingError where a loss is not finite.
 */
export async function judgeRun(
  folder: string,
  config: RunConfig,
  history: History,
  {
    model,
    data,
    signal,
  }: { model: Module; data: RunData; signal?: { aborted: boolean } | undefined },
): Promise<Judged | null> {
  const last = history.epochs.length;
  const checkpoint = takeCheckpoint(folder, config.checkpoint, model, last);
  const dataset = data.test ?? data.validation;
  const part = data.test ? 'test' : data.part;
  if (!data.test && checkpoint.epoch === last && history.validation) {
    return { part, dataset, checkpoint, evaluation: history.validation };
  }
  const { batchSize, imageShape: input, normalize, dtype } = config;
  const onBatch = (): void => {
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- no error: caught below
    if (signal?.aborted) throw ABORTED;
  };
  let evaluation: Evaluation;
  try {
    evaluation = await evaluate(model, dataset, { batchSize, input, normalize, dtype, onBatch });
  } catch (cause) {
    if (cause === ABORTED) return null;
    throw cause;
  }
  return { part, dataset, checkpoint, evaluation };
}

/** Gives the model, which has the weights of the last epoch, those of the checkpoint. */
function takeCheckpoint(
  folder: string,
  name: CheckpointName,
  model: Module,
  last: number,
): JudgedCheckpoint {
  const path = join(folder, 'best.safetensors');
  if (name === 'last' || !existsSync(path)) return { name: 'last', epoch: last };
  const { progress, weights } = readAnyCheckpoint(path);
  if (progress.epoch !== last) model.loadStateDict(weights);
  return { name, epoch: progress.epoch };
}
