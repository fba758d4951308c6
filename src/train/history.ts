import { join } from 'node:path';
import { writeFileAtomically } from '../io/atomic_file.js';

/** One row of `metrics.csv`. Accuracies are shares of 1, times are in seconds. */
export interface EpochMetrics {
  epoch: number;
  loss: number;
  accuracy: number;
  valLoss: number;
  valAccuracy: number;
  learningRate: number;
  seconds: number;
  imagesPerSecond: number;
}

const columns = [
  'epoch',
  'loss',
  'accuracy',
  'valLoss',
  'valAccuracy',
  'learningRate',
  'seconds',
  'imagesPerSecond',
] as const satisfies readonly (keyof EpochMetrics)[];

/** Writes the whole table, so that a resumed run cannot leave rows of a lost epoch behind. */
export function writeHistory(folder: string, history: readonly EpochMetrics[]): void {
  const rows = history.map((row) => columns.map((name) => row[name]).join(','));
  writeFileAtomically(join(folder, 'metrics.csv'), [[columns.join(','), ...rows, ''].join('\n')]);
}
