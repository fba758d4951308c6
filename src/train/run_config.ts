import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TrainingError } from '../gpu/errors.js';
import type { OperandType } from '../ops/mixed_precision.js';
import type { OptimizerName } from './recipes.js';

/** Everything that decides a run's numbers; written to `config.json` and into every checkpoint. */
export interface RunConfig {
  recipe: string;
  model: string;
  data: string;
  epochs: number;
  batchSize: number;
  optimizer: OptimizerName;
  learningRates: readonly number[];
  weightDecay: number;
  seed: number;
  limit: number | null;
  validationShare: number;
  imageShape: readonly [number, number, number];
  classNames: readonly string[];
  /** Element type of what convolutions and matrix products multiply; f32 in old runs. */
  dtype?: OperandType;
  /** Kernels that were tuned when the run began; it keeps them when it goes on. None in old runs. */
  variants?: Readonly<Record<string, string>>;
}

/** What a checkpoint says of its model: enough to build it again. */
export type ModelConfig = Pick<RunConfig, 'model' | 'imageShape' | 'classNames' | 'dtype'>;

export function readRunConfig(folder: string): RunConfig {
  const path = join(folder, 'config.json');
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as RunConfig;
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    throw new TrainingError(
      `${path}: ${missing ? 'no such file' : `cannot be read: ${(cause as Error).message}`}`,
      'pass the folder of a run, the one that `tilegrad train` named as its --out',
    );
  }
}
