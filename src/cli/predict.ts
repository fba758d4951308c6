import type { Command } from 'commander';
import { percent } from '../train/callbacks/progress_line.js';
import { print, printJson } from './output.js';
import { openDevice, wholeNumber, withCommon, type CommonOptions } from './options.js';

export function predictCommand(program: Command): void {
  withCommon(
    program
      .command('predict')
      .description('the most probable classes of images')
      .argument('<run>', 'run folder or .safetensors file')
      .argument('<images...>', 'image files: png, jpg, webp, ppm, pgm')
      .option('--top <n>', 'classes to show', wholeNumber, 5),
  ).action(async (run: string, images: string[], options: CommonOptions & { top: number }) => {
    const { predictFiles } = await import('../train/inference.js');
    const predictions = await predictFiles(run, images, options, () => openDevice(options));
    if (options.json) {
      printJson(predictions);
      return;
    }
    for (const { file, top } of predictions) {
      const classes = top.map((entry) => `${entry.class} ${percent(entry.probability)}`);
      print([`${file}: ${classes.join(', ')}`]);
    }
  });
}
