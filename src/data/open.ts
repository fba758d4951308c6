/** Opens a data set by the words of the command line. */
import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { DataError, UsageError } from '../gpu/errors.js';
import { openCsv } from './csv.js';
import type { ImageDataset } from './dataset.js';
import { builtinSizes, drawDigits } from './digits.js';
import { findMnistFile, openMnist, type Split } from './mnist.js';
import { reshaped, type ImageForm } from './resize.js';

export const DATA_FORMATS = ['auto', 'mnist', 'csv'] as const;
export type DataFormat = (typeof DATA_FORMATS)[number];

export interface OpenOptions extends ImageForm {
  /** Opens this part alone. */
  split?: Split;
  /** Of the drawn data sets. Default 1. */
  seed?: number;
  /** Training pictures of the drawn data sets. */
  size?: number;
  /** What DIR holds; 'auto' looks. */
  format?: DataFormat;
  /** Classes of idx and CSV files, whose labels are only numbers. Default 10. */
  classCount?: number;
}

/** The parts of a data set. */
export interface OpenedData {
  train: ImageDataset;
  test?: ImageDataset;
}

/** Opens one part; undefined where the source has no test part. */
type PartOpener = (split: Split) => Promise<ImageDataset | undefined>;

/**
 * Opens a data set: `builtin:digits`, a folder, or a CSV file.
 *
 * @throws DataError when the folder is missing, is of no known kind, or its files are damaged
 * @throws UsageError for an unknown builtin name or impossible options
 *
 * @example
 * const { train, test } = await openDataset('builtin:digits', { seed: 1 });
 */
export function openDataset(
  spec: string,
  options: OpenOptions & { split: 'test' },
): Promise<{ train?: undefined; test: ImageDataset }>;
export function openDataset(spec: string, options?: OpenOptions): Promise<OpenedData>;
export async function openDataset(
  spec: string,
  options: OpenOptions = {},
): Promise<{ train?: ImageDataset; test?: ImageDataset }> {
  const open = await partOpener(spec, options);
  const part = async (split: Split): Promise<ImageDataset | undefined> => {
    if (options.split !== undefined && options.split !== split) return undefined;
    const dataset = await open(split);
    return dataset && reshaped(dataset, options);
  };
  const train = await part('train');
  const test = await part('test');
  if (options.split === 'test' && test === undefined) {
    throw new DataError(
      `${spec}: has no test part`,
      'name the folder of test images itself, or split the training part',
    );
  }
  return { train, test };
}

async function partOpener(spec: string, options: OpenOptions): Promise<PartOpener> {
  if (spec.startsWith('builtin:')) return builtinOpener(spec, options);
  const format = options.format ?? 'auto';
  if (!DATA_FORMATS.includes(format)) {
    throw new UsageError(
      `data: unknown format '${format as string}', expected one of ${DATA_FORMATS.join(', ')}`,
    );
  }
  const info = await stat(spec).catch(() => undefined);
  if (info === undefined) {
    throw new DataError(
      `${spec}: no such file or folder`,
      `tilegrad data download mnist --dir ${spec}, or --data builtin:digits`,
    );
  }
  if (info.isFile()) return csvFileOpener(spec, options);
  return folderOpener(spec, format, options);
}

function builtinOpener(spec: string, { size, seed = 1 }: OpenOptions): PartOpener {
  if (spec !== 'builtin:digits') {
    throw new UsageError(`data: unknown data set '${spec}', expected builtin:digits`);
  }
  const sizes = builtinSizes(size ?? 6000);
  return (split) => drawDigits(split, sizes[split], seed);
}

function isCsvName(name: string): boolean {
  return /\.csv(\.gz)?$/i.test(name);
}

function csvFileOpener(file: string, options: OpenOptions): PartOpener {
  if (!isCsvName(file)) {
    throw new DataError(
      `${file}: expected a folder or a .csv file`,
      'name the folder that holds the files',
    );
  }
  return async (split) =>
    split === 'train' ? openCsv(file, basename(file), options.classCount) : undefined;
}

async function folderOpener(
  folder: string,
  format: DataFormat,
  options: OpenOptions,
): Promise<PartOpener> {
  const names = await readdir(folder);
  const hasMnist = await hasMnistFiles(folder);
  if (format === 'mnist' || (format === 'auto' && hasMnist)) {
    return async (split) => {
      const isNeeded = split === 'train' || options.split === 'test';
      if (!isNeeded && !(await findMnistFile(folder, 'test', 'images'))) return undefined;
      return openMnist(folder, split, options.classCount);
    };
  }
  const csvNames = names.filter(isCsvName).sort();
  if (format === 'csv' || (format === 'auto' && csvNames.length > 0)) {
    return csvFolderOpener(folder, csvNames, options);
  }
  throw new DataError(
    `${folder}: holds neither MNIST idx files nor a CSV file`,
    `tilegrad data download mnist --dir ${folder}, or --data builtin:digits`,
  );
}

async function hasMnistFiles(folder: string): Promise<boolean> {
  for (const split of ['train', 'test'] as const) {
    if (await findMnistFile(folder, split, 'images')) return true;
  }
  return false;
}

/** In a folder, the file with 'test' in its name is the test part, the one with 'train' or the only one the training part. */
function csvFolderOpener(folder: string, names: string[], options: OpenOptions): PartOpener {
  const tests = names.filter((name) => /test/i.test(name));
  const others = names.filter((name) => !tests.includes(name));
  const trains = others.length > 1 ? others.filter((name) => /train/i.test(name)) : others;
  return async (split) => {
    const candidates = split === 'train' ? trains : tests;
    if (split === 'test' && candidates.length === 0) return undefined;
    if (candidates.length !== 1) {
      throw new DataError(
        `${folder}: expected one CSV file for the ${split} part, got ` +
          (candidates.length === 0 ? 'none' : candidates.join(', ')),
        'name the file itself',
      );
    }
    return openCsv(join(folder, candidates[0]), candidates[0], options.classCount);
  };
}
