import { Argument, type Command } from 'commander';
import { join } from 'node:path';
import { augmentText, parseAugment } from '../autograd/augment_text.js';
import type { DataReport, OpenOptions } from '../data/index.js';
import { UsageError } from '../errors.js';
import { dataCacheCommand } from './data_cache.js';
import { stoppable } from './signals.js';
import { note, print, printJson } from './output.js';
import {
  imageShape,
  openDevice,
  seedNumber,
  wholeNumber,
  withCommon,
  type CommonOptions,
} from './options.js';

export function dataCommand(program: Command): void {
  const data = program.command('data').description('list, download, check and look at datasets');
  withCommon(
    data.command('list').description('datasets that are built in or can be downloaded'),
  ).action((options: CommonOptions) => {
    if (options.json) printJson(known);
    else {
      const line = ({ name, summary }: (typeof known)[number]) => `${name.padEnd(16)}  ${summary}`;
      const between = ['', 'and what a folder or a file of yours holds (docs/data.md):'];
      print([...known.map(line), ...between, ...layouts.map(line)]);
    }
  });
  dataCacheCommand(data);
  withCommon(
    data
      .command('download')
      .description('fetch a dataset, with checksums; an interrupted download goes on')
      .addArgument(new Argument('<name>', 'what to fetch').choices(['mnist']))
      .option('--dir <dir>', 'where to put it (default data/<name>)'),
  ).action(download);
  withCommon(
    data
      .command('check')
      .description('count, measure and validate a dataset')
      .argument('[data]', 'folder of data, or builtin:…')
      .option('--dir <dir>', 'the folder, as an option')
      .option('--classes <n>', CLASSES_HELP, wholeNumber),
  ).action(async (name: string | undefined, options: CheckOptions) => {
    const { checkDataset } = await import('../data/index.js');
    const report = await checkDataset(wanted('check', name, options.dir), classesOf(options));
    if (options.json) printJson(report);
    else print(reportLines(report));
    if (!report.isFine) process.exitCode = 1;
  });
  withCommon(
    data
      .command('preview')
      .description('write a labelled picture grid')
      .argument('[data]', 'folder of data, or builtin:…')
      .option('--dir <dir>', 'the folder, as an option')
      .option('--out <file>', 'picture to write', 'preview.png')
      .option('--count <n>', 'images (default 60; with --augment 8)', wholeNumber)
      .option('--seed <n>', 'which images, and what they are dealt', seedNumber, 0)
      .option(
        '--augment <text>',
        'show images before and after, such as flip,shift=0.1,rotation=15',
      )
      .option('--versions <n>', 'with --augment: rows of images after', wholeNumber, 3)
      .option('--input <H,W,C>', 'the size that training asks for', imageShape)
      .option('--classes <n>', CLASSES_HELP, wholeNumber),
  ).action(preview);
}

interface CheckOptions extends CommonOptions {
  dir?: string;
  classes?: number;
}

const CLASSES_HELP = 'classes of data whose labels are numbers (default 10)';

function classesOf({ classes }: CheckOptions): OpenOptions {
  return classes === undefined ? {} : { classCount: classes };
}

interface PreviewOptions extends CheckOptions {
  out: string;
  count?: number;
  seed: number;
  augment?: string;
  versions: number;
  input?: [number, number, number];
}

async function preview(name: string | undefined, options: PreviewOptions): Promise<void> {
  const { out, seed, input } = options;
  const settings = options.augment === undefined ? undefined : parseAugment(options.augment);
  if (input && input[2] !== 1 && input[2] !== 3) {
    throw new UsageError(`data preview: --input must have 1 or 3 channels, got ${input[2]}`);
  }
  const { openDataset, previewGrid } = await import('../data/index.js');
  const { writeFileAtomically } = await import('../io/atomic_file.js');
  const { train } = await openDataset(wanted('preview', name, options.dir), {
    ...{ seed, ...classesOf(options) },
    // As training does it: with --augment the GPU enlarges.
    enlarge: settings ? 'later' : 'cpu',
    ...(input ? { imageSize: [input[0], input[1]], channels: input[2] as 1 | 3 } : {}),
  });
  const count = options.count ?? (settings ? 8 : 60);
  try {
    if (settings) {
      const { augmentGrid } = await import('../data/augment_preview.js');
      using device = await openDevice(options, seed);
      const { versions } = options;
      const request = { settings, count, seed, versions, ...(input ? { input } : {}) };
      writeFileAtomically(out, [await augmentGrid(device, train, request)]);
    } else writeFileAtomically(out, [await previewGrid(train, { count, seed })]);
  } finally {
    await train.close();
  }
  if (options.json) {
    const augment = settings ? { augment: augmentText(settings) } : {};
    printJson({ out, count: Math.min(count, train.size), ...augment });
  } else print([`wrote ${out}`]);
}

const known = [
  { name: 'builtin:digits', summary: 'digits 0–9 drawn by the program, 28×28 grey, 10 classes' },
  {
    name: 'builtin:signs',
    summary: 'traffic signs drawn by the program, 32×32 colour, 43 classes',
  },
  { name: 'mnist', summary: 'handwritten digits, 70,000 of 28×28; `tilegrad data download mnist`' },
];

const layouts = [
  {
    name: 'class folders',
    summary: 'DIR/train/CLASS/*.jpg|png|webp|ppm with DIR/test, or DIR/CLASS/*',
  },
  { name: 'gtsrb', summary: 'traffic signs as published: PPM tracks, GT-final_test.csv' },
  {
    name: 'named images',
    summary: 'a folder of test images named after their classes: CLASS_12.jpg',
  },
  { name: 'mnist', summary: 'idx files, plain or .gz, also those of EMNIST' },
  { name: 'csv', summary: 'a label and the pixels of a square grey image in each line' },
  { name: 'cifar', summary: 'CIFAR-10 or CIFAR-100, binary or Python version' },
  { name: 'npy', summary: 'X.npy and Y.npy, x_train.npy and so on, or an .npz' },
];

/** The dataset a command is about: its argument, or --dir. */
function wanted(command: string, name: string | undefined, dir: string | undefined): string {
  const spec = name ?? dir;
  if (spec !== undefined) return spec;
  throw new UsageError(`data ${command}: expected a folder or builtin:digits, builtin:signs`);
}

async function download(name: string, options: CommonOptions & { dir?: string }): Promise<void> {
  const { downloadMnist } = await import('../data/index.js');
  const dir = options.dir ?? join('data', name);
  const abort = new AbortController();
  let shown = '';
  const fetching = {
    dir,
    signal: abort.signal,
    onProgress: ({ file, mirror }: { file: string; mirror: string }) => {
      if (shown !== file) note(`${file} from ${new URL(mirror).host}`);
      shown = file;
    },
  };
  const result = await stoppable(
    () => abort.abort(),
    () => downloadMnist(fetching),
  );
  if (options.json) printJson(result);
  else print([`${dir}: ${result.files.length} files, checksums right`]);
}

function reportLines(report: DataReport): string[] {
  const lines: string[] = [];
  for (const { part, count, smallest, largest, classes, groups } of report.parts) {
    const counts = classes.map((entry) => entry.count);
    const size =
      smallest.join() === largest.join()
        ? smallest.join('×')
        : `${smallest.join('×')} to ${largest.join('×')}`;
    lines.push(
      `${part.padEnd(10)}  ${count} images of ${size}, ${classes.length} classes of ` +
        `${Math.min(...counts)} to ${Math.max(...counts)}` +
        (groups === undefined ? '' : `, ${groups} tracks`),
    );
  }
  lines.push(...report.notes.map((note) => `note: ${note}`));
  // The remedy is a line of its own.
  lines.push(...report.problems.flatMap((problem) => `problem: ${problem}`.split(/\n(?=fix: )/)));
  if (report.isFine) lines.push('no problems found');
  return lines;
}
