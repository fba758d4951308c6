import { number, tableLines, type Column } from './columns.js';
import type { BenchRow, Comparison } from './types.js';

/* The table of a training step beside other engines. */

const engine: Column<BenchRow> = ['engine', (row) => row.engine, true];
const figures: readonly Column<BenchRow>[] = [
  ['images/s', (row) => number(row.training?.imagesPerSecond ?? null)],
  ['ms a step', (row) => number(row.ms)],
  ['ratio', (row) => (row.ratioToBest === null ? '–' : row.ratioToBest.toFixed(2))],
  ['first step s', ({ training }) => number(scaled(training?.firstStepMs, 1000))],
  ['MiB', ({ training }) => number(scaled(training?.peakBytes, 2 ** 20))],
  ['loss', ({ training }) => training?.losses?.at(-1)?.toPrecision(6) ?? '–'],
  ['error', (row) => row.relativeError?.toExponential(1) ?? '–'],
];

const places: readonly Column<BenchRow>[] = [
  ['shape', (row) => row.shape, true],
  ['network', (row) => row.variant, true],
];

export function trainerLines(rows: readonly BenchRow[], isTerminal: boolean): string[] {
  return tableLines([...(isTerminal ? [] : places), engine, ...figures], rows, isTerminal);
}

/** What the head says of the columns. */
export function trainerHead({ losses }: Comparison): string[] {
  if (!losses) return [];
  const { optimizer, lr, usualLr, allowed } = losses;
  const rate = lr === usualLr ? `lr ${lr}` : `lr ${lr} in place of ${usualLr}`;
  const [first, last] = [allowed[0], allowed[allowed.length - 1]].map((x) => x.toExponential(1));
  return [
    `loss     after ${allowed.length - 1} updates by ${optimizer}, ${rate}, dropout off`,
    `error    largest difference from our losses, over ours; allowed ${first} at first, ${last} at last`,
    'MiB      the most memory at once; what counts is told below',
  ];
}

function scaled(value: number | null | undefined, unit: number): number | null {
  return value === null || value === undefined ? null : value / unit;
}
