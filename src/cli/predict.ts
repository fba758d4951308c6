import type { Command } from 'commander';
import { percent } from '../train/callbacks/progress_line.js';
import type { Prediction } from '../train/inference.js';
import type { CheckpointName } from '../train/settings_type.js';
import { note, print, printJson } from './output.js';
import {
  checkpointOption,
  openDevice,
  wholeNumber,
  withCommon,
  type CommonOptions,
} from './options.js';

interface PredictOptions extends CommonOptions {
  top: number;
  checkpoint?: CheckpointName;
  csv?: string;
}

export function predictCommand(program: Command): void {
  withCommon(
    program
      .command('predict')
      .description('the most probable classes of images')
      .argument('<run>', 'run folder or .safetensors file')
      .argument('<images...>', 'image files, or folders of them')
      .addOption(checkpointOption())
      .option('--top <n>', 'classes to show', wholeNumber, 5)
      .option('--csv <file>', 'write the answers into a table as well'),
  ).action(predict);
}

async function predict(run: string, images: string[], options: PredictOptions): Promise<void> {
  const { predictFiles } = await import('../train/inference.js');
  const { top, checkpoint, csv, json } = options;
  const open = () => openDevice(options);
  const answers = await predictFiles(run, images, { top, checkpoint }, open);
  const { weights, predictions, failures } = answers;
  note(`weights  ${weights}`);
  for (const { file, reason } of failures) {
    note(`skipped  ${reason.startsWith(file) ? reason : `${file}: ${reason}`}`);
  }
  // A broken file is a failure, whatever became of the others.
  if (failures.length > 0) process.exitCode = 1;
  if (csv !== undefined) await writeTable(csv, predictions);
  if (json) printJson(predictions);
  else print(predictions.map(answerLine));
}

function answerLine({ file, top }: Prediction): string {
  const classes = top.map((entry) => `${entry.class} ${percent(entry.probability)}`);
  return `${file}: ${classes.join(', ')}`;
}

async function writeTable(path: string, predictions: readonly Prediction[]): Promise<void> {
  const { writeFileAtomically } = await import('../io/atomic_file.js');
  const { csv } = await import('../train/report/tables.js');
  const rows = predictions.flatMap(({ file = '', top }) =>
    top.map((entry, i) => [file, i + 1, entry.class, entry.probability]),
  );
  writeFileAtomically(path, [csv([['file', 'rank', 'class', 'probability'], ...rows])]);
}
