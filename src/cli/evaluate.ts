import type { Command } from 'commander';
import type { EvaluateRequest, EvaluationDocument } from '../train/evaluate_run.js';
import { countText, type Averages } from '../train/metrics.js';
import { visible } from '../visible.js';
import { percent } from '../train/callbacks/progress_line.js';
import { print, printJson } from './output.js';
import {
  checkpointOption,
  openDevice,
  wholeNumber,
  withCommon,
  type CommonOptions,
} from './options.js';

type EvaluateOptions = CommonOptions & EvaluateRequest;

export function evaluateCommand(program: Command): void {
  withCommon(
    program
      .command('evaluate')
      .description('loss, accuracy, per-class table and confusion matrix of a trained network')
      .argument('<run>', 'run folder or .safetensors file')
      .requiredOption('--data <dir>', 'folder of data, builtin:digits or builtin:signs')
      .addOption(checkpointOption())
      .option('--batch-size <n>', 'images at a time', wholeNumber, 128)
      .option('--limit <n>', 'look at this many images', wholeNumber)
      .option('--report <dir>', 'write pictures, tables and index.html into this folder')
      .option('--force', 'write over a report that is there'),
  ).action(async (run: string, options: EvaluateOptions) => {
    const { evaluateRun } = await import('../train/evaluate_run.js');
    const document = await evaluateRun(run, options, () => openDevice(options));
    if (options.json) printJson(document);
    else print(evaluationLines(document));
  });
}

/** Widest confusion matrix that is printed; larger ones are in --json. */
const MOST_COLUMNS = 20;

function evaluationLines(document: EvaluationDocument): string[] {
  const { classes, macro, weighted, confusion, count, notes, report } = document;
  const names = [...classes.map(({ name }) => visible(name)), 'weighted average'];
  const width = Math.max(...names.map((name) => name.length));
  const row = (name: string, { precision, recall, f1 }: Averages, support: number): string =>
    `${name.padEnd(width)}  ${precision.toFixed(4).padStart(9)}  ${recall.toFixed(4)}  ` +
    `${f1.toFixed(4)}  ${String(support).padStart(7)}`;
  const lines = [
    ...totalLines(document),
    '',
    `${'class'.padEnd(width)}  precision  recall      f1  support`,
    ...classes.map((c, k) => row(names[k], c, c.support)),
    row('macro average', macro, count),
    row('weighted average', weighted, count),
    '',
    ...confusionLines(confusion, names, width),
  ];
  lines.push(...notes.map((note) => `note: ${note}`));
  if (report !== undefined) lines.push('', `wrote ${report}`);
  return lines;
}

function totalLines(document: EvaluationDocument): string[] {
  const { loss, accuracy, count, topK, expectedCalibrationError } = document;
  const more = topK
    .filter(({ k }) => k > 1)
    .map((top) => `top-${top.k} ${percent(top.accuracy)}  `);
  return [
    `weights ${visible(document.weights)}`,
    `loss ${loss.toFixed(4)}  accuracy ${percent(accuracy)} of ${countText(accuracy, count)}`,
    `${more.join('')}expected calibration error ${percent(expectedCalibrationError)}`,
  ];
}

function confusionLines(
  confusion: readonly (readonly number[])[],
  names: readonly string[],
  width: number,
): string[] {
  const n = confusion.length;
  if (n > MOST_COLUMNS) return [`the ${n}×${n} confusion matrix is in --json and --report`];
  const cell = Math.max(...confusion.flat().map((count) => String(count).length), 3) + 1;
  return [
    'confusion (rows: true class, columns: predicted)',
    ...confusion.map(
      (row, k) => names[k].padEnd(width) + row.map((c) => String(c).padStart(cell)).join(''),
    ),
  ];
}
