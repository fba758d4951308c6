import { Option, type Command } from 'commander';
import type { CheckpointName } from '../train/settings_type.js';
import type { WeightFormat } from '../io/weights/index.js';
import { print, printJson } from './output.js';
import { checkpointOption, withCommon, type CommonOptions } from './options.js';

interface ExportOptions extends CommonOptions {
  checkpoint?: CheckpointName;
  format?: WeightFormat;
  out: string;
  force?: boolean;
}

export function exportCommand(program: Command): void {
  withCommon(
    program
      .command('export')
      .description('write the weights of a trained network for Keras, PyTorch or this program')
      .argument('<run>', 'run folder or .safetensors file')
      .addOption(
        new Option(
          '--format <name>',
          'keras (.h5), pytorch or tilegrad (.safetensors); default: keras for .h5',
        ).choices(['keras', 'pytorch', 'tilegrad']),
      )
      .addOption(checkpointOption())
      .requiredOption('--out <file>', 'file to write')
      .option('--force', 'replace the file where it is there'),
  ).action(async (run: string, options: ExportOptions) => {
    const { exportWeights } = await import('../train/export_weights.js');
    const { format, out, force, checkpoint } = options;
    const document = await exportWeights(run, {
      ...{ out, force: force ?? false },
      ...(format ? { format } : {}),
      ...(checkpoint ? { checkpoint } : {}),
    });
    if (options.json) printJson(document);
    else {
      const { model, tensors, parameters, weights } = document;
      const numbers = parameters.toLocaleString('en-US');
      print([
        `${out}: ${model}, ${tensors} tensors, ${numbers} numbers, for ${document.format}, from ${weights}`,
      ]);
    }
  });
}
