import type { ImageDataset } from '../../data/index.js';
import type { Evaluation } from '../evaluate.js';
import type { Averages, ConfusedPair, Metrics } from '../metrics.js';

/**
 * A field of a CSV file (RFC 4180): quoted where it holds a quote, a line break or what some program
 * takes for a separator. Names come from others' files: one that a spreadsheet would run as a
 * formula gets an apostrophe before it, as OWASP advises (CSV injection).
 */
function field(value: string | number): string {
  if (typeof value === 'number') return String(value);
  const text = /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/.test(value) ? `'${value}` : value;
  return /[",;\t\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
}

/** The text of a CSV file. */
export function csv(rows: readonly (readonly (string | number)[])[]): string {
  return rows.map((row) => `${row.map(field).join(',')}\n`).join('');
}

/** Figures of each class, then the two averages; their support is the number of images. */
export function classesCsv({ classes, macro, weighted }: Metrics): string {
  const count = classes.reduce((sum, { support }) => sum + support, 0);
  const average = (name: string, { precision, recall, f1 }: Averages) =>
    [name, precision, recall, f1, count] as const;
  return csv([
    ['class', 'precision', 'recall', 'f1', 'support'],
    ...classes.map((c) => [c.name, c.precision, c.recall, c.f1, c.support]),
    average('macro average', macro),
    average('weighted average', weighted),
  ]);
}

/** Counts; a row is a true class, a column what it was taken for. */
export function confusionCsv({ confusion, classes }: Metrics): string {
  const names = classes.map(({ name }) => name);
  return csv([['true class', ...names], ...confusion.map((row, k) => [names[k], ...row])]);
}

/** One row for each example, in the dataset's order. */
export function predictionsCsv(
  dataset: ImageDataset,
  { predictions, probabilities, losses }: Evaluation,
  names: readonly string[],
): string {
  const rows = Array.from(predictions, (prediction, n) => [
    ...[n, dataset.describe?.(n) ?? `${dataset.name} #${n}`],
    ...[names[dataset.labels[n]], names[prediction]],
    ...[short(probabilities[n * names.length + prediction]), short(losses[n])],
    prediction === dataset.labels[n] ? 'right' : 'wrong',
  ]);
  const head = ['index', 'source', 'true', 'predicted', 'probability', 'loss', 'outcome'];
  return csv([head, ...rows]);
}

/** Six significant digits: more than a float of the GPU is good for here. */
const short = (value: number): number => Number(value.toPrecision(6));

export function confusedPairsCsv(pairs: readonly ConfusedPair[], names: readonly string[]): string {
  return csv([
    ['true', 'predicted', 'count', 'share of the true class'],
    ...pairs.map(({ label, prediction, count, share }) => [
      ...[names[label], names[prediction], count, short(share)],
    ]),
  ]);
}
