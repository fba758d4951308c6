import type { Command } from 'commander';
import { percent } from './progress_line.js';
import { openDevice, printJson, wholeNumber, withCommon, type CommonOptions } from './options.js';

interface EvaluateOptions extends CommonOptions {
  data: string;
  batchSize: number;
  limit?: number;
}

export function evaluateCommand(program: Command): void {
  withCommon(
    program
      .command('evaluate')
      .description('loss, accuracy, per-class table and confusion matrix of a trained network')
      .argument('<run>', 'run folder or .safetensors file')
      .requiredOption('--data <dir>', 'folder of data, builtin:digits or builtin:signs')
      .option('--batch-size <n>', 'images at a time', wholeNumber, 128)
      .option('--limit <n>', 'look at this many images', wholeNumber),
  ).action(async (run: string, options: EvaluateOptions) => {
    const { evaluateRun } = await import('../train/inference.js');
    const document = await evaluateRun(run, options, () => openDevice(options));
    if (options.json) printJson(document);
    else process.stdout.write(`${evaluationText(document)}\n`);
  });
}

interface EvaluationDocument {
  loss: number;
  accuracy: number;
  count: number;
  classes: { name: string; precision: number; recall: number; f1: number; support: number }[];
  confusion: number[][];
}

/** Widest confusion matrix that is printed; larger ones are in --json. */
const MOST_COLUMNS = 20;

function evaluationText({ loss, accuracy, count, classes, confusion }: EvaluationDocument): string {
  const width = Math.max(5, ...classes.map(({ name }) => name.length));
  const lines = [
    `loss ${loss.toFixed(4)}  accuracy ${percent(accuracy)}  ${count} images`,
    '',
    `${'class'.padEnd(width)}  precision  recall      f1  support`,
    ...classes.map(
      (c) =>
        `${c.name.padEnd(width)}  ${c.precision.toFixed(4).padStart(9)}  ${c.recall.toFixed(4)}  ` +
        `${c.f1.toFixed(4)}  ${String(c.support).padStart(7)}`,
    ),
  ];
  if (classes.length > MOST_COLUMNS) {
    return [
      ...lines,
      '',
      `the ${classes.length}×${classes.length} confusion matrix is in --json`,
    ].join('\n');
  }
  const cell = Math.max(...confusion.flat().map((n) => String(n).length), 3) + 1;
  lines.push('', 'confusion (rows: true class, columns: predicted)');
  for (const [k, row] of confusion.entries()) {
    lines.push(classes[k].name.padEnd(width) + row.map((n) => String(n).padStart(cell)).join(''));
  }
  return lines.join('\n');
}
