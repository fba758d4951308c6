import { join } from 'node:path';
import { writeFileAtomically } from '../io/atomic_file.js';
import { schedule } from '../optim/index.js';

/** One row of `metrics.csv`. Accuracies are shares of 1, times are in seconds. */
export interface EpochMetrics {
  epoch: number;
  loss: number;
  accuracy: number;
  /** Of the validation; null if there is none. */
  valLoss: number | null;
  valAccuracy: number | null;
  /** Of the epoch's last step. */
  learningRate: number;
  seconds: number;
  imagesPerSecond: number;
  /** Seconds in which training waited for images to be read. */
  inputSeconds: number;
}

/** One row of `validation.csv`: how the network did within an epoch. */
export interface ValidationMetrics {
  step: number;
  /** Epochs done, with the part of the running one. */
  epoch: number;
  valLoss: number;
  valAccuracy: number;
}

/** What epochs are compared by. */
export type Criterion = 'loss' | 'accuracy';

/** What an epoch is judged by: its validation, or its training if there is none. */
export function judged(
  { loss, accuracy, valLoss, valAccuracy }: EpochMetrics,
  by: Criterion,
): number {
  return by === 'loss' ? (valLoss ?? loss) : (valAccuracy ?? accuracy);
}

/** Epochs since the best one: 0 where the last is better than all before it. */
export function epochsSinceBest(history: readonly EpochMetrics[], by: Criterion): number {
  const mode = by === 'loss' ? 'min' : 'max';
  let best: number | null = null;
  let since = 0;
  for (const row of history) {
    const value = judged(row, by);
    const isBetter = schedule.improves(value, best, { mode });
    if (isBetter) best = value;
    since = isBetter ? 0 : since + 1;
  }
  return since;
}

const epochColumns = [
  ...(['epoch', 'loss', 'accuracy', 'valLoss', 'valAccuracy', 'learningRate'] as const),
  ...(['seconds', 'imagesPerSecond', 'inputSeconds'] as const),
] satisfies readonly (keyof EpochMetrics)[];

const validationColumns = [
  ...(['step', 'epoch', 'valLoss', 'valAccuracy'] as const),
] satisfies readonly (keyof ValidationMetrics)[];

/** Writes the whole table, so that a resumed run cannot leave rows of a lost epoch behind. */
export function writeHistory(folder: string, history: readonly EpochMetrics[]): void {
  writeTable(join(folder, 'metrics.csv'), epochColumns, history);
}

export function writeValidations(folder: string, rows: readonly ValidationMetrics[]): void {
  writeTable(join(folder, 'validation.csv'), validationColumns, rows);
}

function writeTable<K extends string>(
  path: string,
  columns: readonly K[],
  table: readonly Readonly<Record<K, number | null>>[],
): void {
  const rows = table.map((row) => columns.map((name) => row[name] ?? '').join(','));
  writeFileAtomically(path, [[columns.join(','), ...rows, ''].join('\n')]);
}
