import { mebibytes, number, tableLines, wrap, type Column } from './columns.js';
import { profileLines } from './profile_table.js';
import { comparisonLines } from './comparison.js';
import { explanationLines } from './explain.js';
import { holderOf } from './occupancy.js';
import { shapeLetters } from './shapes.js';
import { trainerHead, trainerLines } from './training_table.js';
import type { BenchDocument, BenchRow, Comparison } from './types.js';

const OWN = 'tilegrad';

const engineColumn: Column<BenchRow> = ['engine', (row) => row.engine, true];
const dtypeColumn: Column<BenchRow> = ['dtype', (row) => row.dtype, true];

const places: readonly Column<BenchRow>[] = [
  ['shape', (row) => row.shape, true],
  ['direction', (row) => row.direction, true],
];

const ratioColumn: Column<BenchRow> = [
  'ratio',
  (row) => (row.ratioToBest === null ? '–' : row.ratioToBest.toFixed(2)),
];
const errorColumn: Column<BenchRow> = [
  'error',
  (row) => row.relativeError?.toExponential(1) ?? '–',
];

const speeds: readonly Column<BenchRow>[] = [
  ['ms', (row) => number(row.ms)],
  ['GFLOP/s', (row) => number(row.gflops)],
];

const numbers: readonly Column<BenchRow>[] = [
  ...speeds,
  ['GB/s', (row) => number(row.gbps)],
  ['% peak', (row) => number(row.percentOfPeak)],
  ratioColumn,
];

const starred = ({ variant, isChosen }: BenchRow): string => variant + (isChosen ? ' *' : '');

/** A hundred columns: other engines stand where the kernel's name does, the type in the head. */
const variantOrEngine: Column<BenchRow> = [
  'variant',
  (row) => (row.engine === OWN ? starred(row) : row.engine),
  true,
];
const terminalColumns: readonly Column<BenchRow>[] = [...places, variantOrEngine, ...numbers];

/** Beside other engines: how far their results are from ours, in the place of the shares of peaks. */
const comparedColumns: readonly Column<BenchRow>[] = [
  ...places,
  variantOrEngine,
  ...speeds,
  ratioColumn,
  errorColumn,
];

const pipeColumns: readonly Column<BenchRow>[] = [
  ...places,
  ['variant', starred, true],
  dtypeColumn,
  ...numbers,
  engineColumn,
];

/**
 * The lines a person reads: columns aligned for a terminal, or separated by tabs for the next
 * program in a pipe, where lines that are not rows begin with #.
 */
export function formatReport(document: BenchDocument, isTerminal: boolean): string[] {
  const { results, training, profile, step, tuning, comparison } = document;
  const remark = (text: string): string => (isTerminal ? wrap(text) : `# ${text}`);
  const lines = headOf(document).map(remark);
  const forTerminal = comparison ? comparedColumns : terminalColumns;
  const forPipe = comparison ? [...pipeColumns, errorColumn] : pipeColumns;
  lines.push(
    ...(comparison?.losses
      ? trainerLines(results, isTerminal)
      : tableLines(isTerminal ? forTerminal : forPipe, results, isTerminal)),
  );
  if (training) {
    const { model, parameters, batchSize, firstStepMs, stepMs, imagesPerSecond } = training;
    const { peakBytes, recompute, lossScale } = training;
    const again = recompute === null ? '' : `, running again ${recompute.length} of its segments`;
    lines.push(
      ...(isTerminal ? [''] : []),
      remark(`${model}, ${parameters.toLocaleString('en-US')} parameters, batch ${batchSize}`),
      remark(`${imagesPerSecond.toFixed(1)} images/s, ${stepMs.toFixed(1)} ms a step`),
      // Tuning has compiled most kernels already.
      remark(`${firstStepMs.toFixed(0)} ms for the first step${tuning ? '' : ', with compiling'}`),
      remark(`${mebibytes(peakBytes)} live at the peak of a step${again}`),
    );
    if (lossScale) {
      const { scale, skippedSteps } = lossScale;
      lines.push(
        remark(`loss scale ${scale.toLocaleString('en-US')}, ${skippedSteps} steps skipped`),
      );
    }
  }
  if (profile) lines.push(...profileLines(profile, step, isTerminal));
  for (const text of remarksOf(results)) lines.push(remark(text));
  for (const text of comparison ? comparisonLines(comparison) : []) lines.push(remark(text));
  lines.push(...explanationsOf(document).map(remark));
  return lines;
}

/** A block for each kernel that is explained, in the order of the table. */
function explanationsOf({ results, peak, ...adapter }: BenchDocument): string[] {
  const lines = results.flatMap((row) => {
    const { op, shape, direction, explain, ms } = row;
    if (!explain || ms === null) return [];
    const title = `${op} ${shape} ${direction} ${starred(row)}`;
    return ['', ...explanationLines(title, { explain, ms, peak })];
  });
  if (lines.length === 0) return [];
  const info = { isSoftware: adapter.isSoftware, description: adapter.adapter };
  return [...lines, '', `${holderOf(info).text}; registers are not to be seen`];
}

function headOf(document: BenchDocument): string[] {
  const { adapter, isSoftware, timing, peak, results, scale, comparison } = document;
  const first = results.at(0);
  return [
    `adapter  ${adapter}`,
    ...(isSoftware ? ['         a software adapter: timings are not meaningful for GPUs'] : []),
    `peak     ${number(peak.gflops)} GFLOP/s, ${number(peak.gbps)} GB/s, measured`,
    `timing   ${timing}, median`,
    ...(first ? [`shape    ${shapeLetters[first.op].join(',')} of ${first.dtype}`] : []),
    ...(scale?.notes ?? []).map((note) => `scale    ${note}`),
    ...(comparison ? comparedHead(comparison) : []),
    ...(results.some(({ op, isChosen }) => isChosen && op !== 'train')
      ? ['*        the kernel chosen by default']
      : []),
  ];
}

function comparedHead(comparison: Comparison): string[] {
  if (comparison.losses) return trainerHead(comparison);
  return ['error    largest difference from our result over our largest value'];
}

/** What is said about rows below the table: problems, and notes that several rows share. */
function remarksOf(results: readonly BenchRow[]): string[] {
  const remarks = new Set<string>();
  for (const { engine, shape, direction, variant, problem, note } of results) {
    if (problem) remarks.add(`${engine} ${shape} ${direction} ${variant}: ${problem}`);
    if (note) remarks.add(`${engine}: ${note}`);
  }
  return [...remarks];
}
