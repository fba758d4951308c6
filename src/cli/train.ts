import type { Command } from 'commander';
import { Option } from 'commander';
import { optimizerNames, recipes, type OptimizerName } from '../train/recipes.js';
import {
  openDevice,
  positiveNumber,
  printJson,
  seedNumber,
  wholeNumber,
  withCommon,
  type CommonOptions,
} from './options.js';

export interface TrainOptions extends CommonOptions {
  data?: string;
  epochs?: number;
  batchSize?: number;
  lr?: number;
  optimizer?: OptimizerName;
  model?: string;
  seed?: number;
  limit?: number;
  dtype?: 'f32' | 'f16';
  out?: string;
  resume?: string;
  report?: boolean;
  tune?: boolean;
}

export function trainCommand(program: Command): void {
  const names = recipes.map((recipe) => recipe.name).join(', ');
  withCommon(
    program
      .command('train')
      .description('train a network by a recipe and write a run folder')
      .argument('[recipe]', `one of: ${names}; with --resume the run's own`)
      .option('--data <dir>', 'folder of data, builtin:digits or builtin:signs')
      .option('--model <name>', 'network, in place of the recipe’s')
      .option('--epochs <n>', 'passes over the training images', wholeNumber)
      .option('--batch-size <n>', 'images in a step', wholeNumber)
      .option('--lr <rate>', 'one learning rate for the whole run', positiveNumber)
      .addOption(
        new Option('--optimizer <name>', 'how to update; sgd has momentum 0.9').choices([
          ...optimizerNames,
        ]),
      )
      .option('--seed <n>', 'seed of initial weights, shuffles and dropout (default 0)', seedNumber)
      .option(
        '--limit <n>',
        'train on this many images, drawn evenly from the classes',
        wholeNumber,
      )
      .addOption(
        new Option(
          '--dtype <type>',
          'what convolutions and products multiply (default f32); sums and parameters stay f32',
        ).choices(['f32', 'f16']),
      )
      .option('--out <dir>', 'folder of the run (default runs/<recipe>-<number>)')
      .option('--resume <dir>', 'continue the run in this folder')
      .option(
        '--tune',
        'first find the fastest kernel for every layer on this adapter, and keep the choices; ' +
          'other kernels can change the last bits of results',
      )
      .option('--no-report', 'skip the pictures and tables in report/'),
  ).action(async (recipe: string | undefined, options: TrainOptions) => {
    const { runTraining } = await import('../train/run.js');
    const { ProgressLine } = await import('./progress_line.js');
    const line = new ProgressLine(process.stderr);
    const say = (text: string): void => {
      line.clear();
      process.stderr.write(`${text}\n`);
    };
    let interrupts = 0;
    let lastInterrupt = -Infinity;
    const onInterrupt = (): void => {
      // One Ctrl-C can arrive twice: from the terminal, and passed on by `npm run`.
      const now = performance.now();
      if (now - lastInterrupt < 500) return;
      lastInterrupt = now;
      if (++interrupts === 1) say('stopping after this step; press Ctrl-C again to quit at once');
      else process.exit(1);
    };
    process.on('SIGINT', onInterrupt);
    process.on('SIGTERM', onInterrupt);
    try {
      const outcome = await runTraining(recipe, options, {
        openDevice: (seed) => openDevice(options, seed),
        say,
        onProgress: (live) => line.show(live),
        onEpoch: (row, epochs) => line.finish(row, epochs),
        shouldStop: () => interrupts > 0,
      });
      line.clear();
      if (options.json) printJson(outcome.document);
      else for (const text of outcome.lines) process.stdout.write(`${text}\n`);
      if (!outcome.isFinished) process.exitCode = 1;
    } finally {
      process.off('SIGINT', onInterrupt);
      process.off('SIGTERM', onInterrupt);
    }
  });
}
