import type { Command } from 'commander';
import { imageShape, printJson, wholeNumber, withCommon, type CommonOptions } from './options.js';

interface SummaryOptions extends CommonOptions {
  input?: [number, number, number];
  classes?: number;
}

export function summaryCommand(program: Command): void {
  withCommon(
    program
      .command('summary')
      .description('layers, output shapes, parameters, FLOP and activation memory of a network')
      .argument('<model>', 'for example mnist-cnn')
      .option('--input <h,w,c>', 'image shape (default: what it was published for)', imageShape)
      .option('--classes <n>', 'number of classes (default: likewise)', wholeNumber),
  ).action(async (name: string, options: SummaryOptions) => {
    const { createModel, publishedOptions } = await import('../models/index.js');
    const { createDevice } = await import('../device.js');
    // Nothing is computed: shapes and counts are all that is asked.
    const device = await createDevice({ isNull: true });
    try {
      const { input, classes } = {
        ...publishedOptions(name),
        ...(options.input ? { input: options.input } : {}),
        ...(options.classes ? { classes: options.classes } : {}),
      };
      const summary = createModel(device, name, { input, classes }).summary(input);
      const document = { model: name, input, ...summary };
      if (options.json) printJson(document);
      else process.stdout.write(`${table(document)}\n`);
    } finally {
      device.destroy();
    }
  });
}

interface SummaryDocument {
  model: string;
  input: readonly number[];
  layers: { name: string; type: string; output: number[]; parameters: number; flops: number }[];
  parameters: { total: number; trainable: number; nonTrainable: number };
  flops: number;
  activationBytes: number;
}

function table(document: SummaryDocument): string {
  const { model, input, layers, parameters, flops, activationBytes } = document;
  const rows = layers.map((layer) => [
    layer.name,
    layer.type,
    layer.output.join('×'),
    layer.parameters.toLocaleString('en-US'),
    (layer.flops / 1e6).toFixed(2),
  ]);
  const head = ['layer', 'type', 'output', 'parameters', 'MFLOP'];
  const widths = head.map((title, i) =>
    Math.max(title.length, ...rows.map((row) => row[i].length)),
  );
  const line = (row: string[]): string =>
    row.map((text, i) => (i < 3 ? text.padEnd(widths[i]) : text.padStart(widths[i]))).join('  ');
  return [
    `${model} on ${input.join('×')}`,
    '',
    line(head),
    ...rows.map(line),
    '',
    `parameters   ${parameters.total.toLocaleString('en-US')} (${parameters.trainable.toLocaleString('en-US')} trainable)`,
    `forward      ${(flops / 1e6).toFixed(1)} MFLOP an image`,
    `activations  ${(activationBytes / 2 ** 20).toFixed(2)} MiB an image`,
  ].join('\n');
}
