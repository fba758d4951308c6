import { Option, type Command } from 'commander';
import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { UsageError } from '../errors.js';
import { shortcuts, type Shortcut } from '../models/options.js';
import type { Module, SummaryFigures } from '../nn/index.js';
import { print, printJson } from './output.js';
import { imageShape, wholeNumber, withCommon, type CommonOptions } from './options.js';

interface SummaryOptions extends CommonOptions {
  input?: [number, number, number];
  classes?: number;
  shortcut?: Shortcut;
  plot?: string;
}

export function summaryCommand(program: Command): void {
  withCommon(
    program
      .command('summary')
      .description('layers, output shapes, parameters, FLOP and activation memory of a network')
      .argument('<model>', 'for example mnist-cnn')
      .option('--input <h,w,c>', 'image shape (default: what it was published for)', imageShape)
      .option('--classes <n>', 'number of classes (default: likewise)', wholeNumber)
      .addOption(
        new Option('--shortcut <kind>', 'of residual networks, where blocks change shape').choices(
          shortcuts,
        ),
      )
      .option('--plot <file>', 'draw the network as well, into a .svg or .png file'),
  ).action(async (name: string, options: SummaryOptions) => {
    if (options.plot !== undefined) await checkPlotFile(options.plot);
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
      const model = createModel(device, name, { input, classes, shortcut: options.shortcut });
      const summary = model.summary(input);
      const document = {
        ...{ model: name, input, ...summary },
        ...(options.plot === undefined ? {} : { plot: options.plot }),
      };
      if (options.plot !== undefined) await writePlot(options.plot, model, document);
      if (options.json) printJson(document);
      else {
        const written = options.plot === undefined ? [] : ['', `wrote ${options.plot}`];
        print([`${name} on ${input.join('×')}`, '', String(summary), ...written]);
      }
    } finally {
      device.destroy();
    }
  });
}

interface SummaryDocument extends SummaryFigures {
  model: string;
  input: readonly number[];
}

/** Refuses a file that could not be written, before any work. */
async function checkPlotFile(path: string): Promise<void> {
  const { plotFormat } = await import('../plot/index.js');
  plotFormat(path);
  const folder = dirname(path);
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return;
  throw new UsageError(
    `summary: the folder ${folder} of --plot ${path} does not exist`,
    'make it first, or name a file in another folder',
  );
}

async function writePlot(path: string, model: Module, document: SummaryDocument): Promise<void> {
  const { plotFormat, plotPng, plotSvg } = await import('../plot/index.js');
  const { moduleGraph } = await import('../nn/index.js');
  const { writeFileAtomically } = await import('../io/atomic_file.js');
  const { parameters, flops } = document;
  const graph = moduleGraph(model, document.input);
  const title = {
    title: `${document.model} on ${document.input.join('×')}`,
    subtitle:
      `${parameters.total.toLocaleString('en-US')} parameters, ` +
      `${parameters.trainable.toLocaleString('en-US')} trainable · ` +
      `${(flops / 1e6).toFixed(1)} MFLOP an image`,
  };
  const draw = plotFormat(path) === 'svg' ? plotSvg : plotPng;
  writeFileAtomically(path, [await draw(graph, title)]);
}
