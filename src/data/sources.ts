/** The places data come from: what a name on the command line stands for, and how its parts are opened. */
import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { DataError, UsageError } from '../gpu/errors.js';
import { findCifar, openCifar } from './cifar.js';
import { openCsv } from './csv.js';
import type { ImageDataset } from './dataset.js';
import { builtinSizes, drawDigits } from './digits.js';
import { listFolder, PART_FOLDERS, subfolders, type FolderListing } from './folder.js';
import { FolderDataset, type FolderOptions } from './folder_dataset.js';
import { findMnistFile, openMnist, type Split } from './mnist.js';
import type { ImageForm } from './resize.js';
import { drawSigns } from './signs.js';

export const DATA_FORMATS = ['auto', 'mnist', 'csv', 'cifar', 'images'] as const;
export type DataFormat = (typeof DATA_FORMATS)[number];

/** The data sets the program draws itself, and how many training pictures they have by default. */
export const BUILTIN_DATASETS = { 'builtin:digits': 6000, 'builtin:signs': 5160 } as const;
export type BuiltinName = keyof typeof BUILTIN_DATASETS;

export interface OpenOptions extends ImageForm, Pick<FolderOptions, 'cacheBytes' | 'decoding'> {
  /** Opens this part alone. */
  split?: Split;
  /** Of the drawn data sets. Default 1. */
  seed?: number;
  /** Training pictures of the drawn data sets; their test part has a sixth as many. */
  size?: number;
  /** What DIR holds; 'auto' looks. */
  format?: DataFormat;
  /** Classes of idx and CSV files, whose labels are only numbers. Default 10. */
  classCount?: number;
  /** Class folders there may be, in the order of their numbers (those a network was trained on). */
  classNames?: readonly string[];
}

export type Part = keyof typeof PART_FOLDERS;

/** A place data come from. Opening a part gives undefined where there is none. */
export interface Source {
  open(part: Part): Promise<ImageDataset | undefined>;
  notes?: string[];
}

/** Finds out what a spec names; opens no data yet. */
export async function openSource(spec: string, options: OpenOptions): Promise<Source> {
  if (spec.startsWith('builtin:')) return builtinSource(spec, options);
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
  if (info.isFile()) return csvFileSource(spec, options);
  const source = await folderSource(spec, format, options);
  if (source !== undefined) return source;
  throw new DataError(
    `${spec}: expected ` +
      (format === 'auto'
        ? 'MNIST idx files, a CSV file, CIFAR binary files or class folders of images'
        : `the files of format '${format}'`) +
      ', got none of them',
    `tilegrad data download mnist --dir ${spec}, or --data builtin:digits`,
  );
}

/** The kinds of folder are tried in this order; undefined when it is none of those allowed. */
async function folderSource(
  folder: string,
  format: DataFormat,
  options: OpenOptions,
): Promise<Source | undefined> {
  const isAllowed = (kind: DataFormat): boolean => format === 'auto' || format === kind;
  if (isAllowed('mnist') && (format === 'mnist' || (await hasMnistFiles(folder)))) {
    return mnistSource(folder, options);
  }
  if (isAllowed('csv')) {
    const names = (await readdir(folder)).filter(isCsvName).sort();
    if (names.length > 0) return csvFolderSource(folder, names, options);
  }
  if (isAllowed('cifar')) {
    const cifar = await findCifar(folder);
    if (cifar !== undefined) {
      return {
        open: async (part) =>
          part === 'validation' ? undefined : openCifarPart(cifar, part, options),
      };
    }
  }
  if (isAllowed('images')) {
    const names = await subfolders(folder);
    if (names.length > 0 || format === 'images') return imagesSource(folder, names, options);
  }
  return undefined;
}

function builtinSource(spec: string, { size, seed = 1 }: OpenOptions): Source {
  if (!(spec in BUILTIN_DATASETS)) {
    throw new UsageError(
      `data: unknown data set '${spec}', expected ${Object.keys(BUILTIN_DATASETS).join(' or ')}`,
    );
  }
  const draw = spec === 'builtin:signs' ? drawSigns : drawDigits;
  const sizes = builtinSizes(size ?? BUILTIN_DATASETS[spec as BuiltinName]);
  return {
    open: async (part) => (part === 'validation' ? undefined : draw(part, sizes[part], seed)),
  };
}

async function hasMnistFiles(folder: string): Promise<boolean> {
  for (const split of ['train', 'test'] as const) {
    if (await findMnistFile(folder, split, 'images')) return true;
  }
  return false;
}

function mnistSource(folder: string, options: OpenOptions): Source {
  return {
    open: async (part) => {
      if (part === 'validation') return undefined;
      const isNeeded = part === 'train' || options.split === 'test';
      if (!isNeeded && !(await findMnistFile(folder, 'test', 'images'))) return undefined;
      return openMnist(folder, part, options.classCount);
    },
  };
}

async function openCifarPart(
  { folder, kind }: NonNullable<Awaited<ReturnType<typeof findCifar>>>,
  part: Split,
  options: OpenOptions,
): Promise<ImageDataset | undefined> {
  const isNeeded = part === 'train' || options.split === 'test';
  const present = await readdir(folder);
  if (!isNeeded && !kind.files[part].some((name) => present.includes(name))) return undefined;
  return openCifar(folder, kind, part);
}

function isCsvName(name: string): boolean {
  return /\.csv(\.gz)?$/i.test(name);
}

function csvFileSource(file: string, options: OpenOptions): Source {
  if (!isCsvName(file)) {
    throw new DataError(
      `${file}: expected a folder or a .csv file`,
      'name the folder that holds the files',
    );
  }
  return {
    open: async (part) =>
      part === 'train' ? openCsv(file, basename(file), options.classCount) : undefined,
  };
}

/** The file with 'test' in its name is the test part; the other one, or that with 'train', is for training. */
function csvFolderSource(folder: string, names: string[], options: OpenOptions): Source {
  const tests = names.filter((name) => /test/i.test(name));
  const others = names.filter((name) => !tests.includes(name));
  const trains = others.length > 1 ? others.filter((name) => /train/i.test(name)) : others;
  return {
    open: async (part) => {
      const candidates = part === 'train' ? trains : part === 'test' ? tests : [];
      if (part !== 'train' && candidates.length === 0) return undefined;
      if (candidates.length !== 1) {
        throw new DataError(
          `${folder}: expected one CSV file for the ${part} part, got ` +
            (candidates.length === 0 ? `none among ${names.join(', ')}` : candidates.join(', ')),
          'name the file itself',
        );
      }
      return openCsv(join(folder, candidates[0]), candidates[0], options.classCount);
    },
  };
}

/** Class folders below DIR/train, DIR/val and DIR/test, or DIR itself as the training part. */
function imagesSource(folder: string, names: string[], options: OpenOptions): Source {
  const named = (part: Part): string | undefined =>
    PART_FOLDERS[part].find((name) => names.includes(name));
  const [train, validation, test] = [named('train'), named('validation'), named('test')];
  const folders: Partial<Record<Part, string>> = {};
  const hasOnlyParts = names.length > 0 && names.every((name) => [test, validation].includes(name));
  if (train === undefined && !hasOnlyParts) {
    folders.train = folder;
  } else {
    if (train !== undefined) folders.train = join(folder, train);
    // One folder beside train, whatever its name, is what the network is tested on.
    const tested = test ?? validation;
    if (tested !== undefined) folders.test = join(folder, tested);
    if (tested !== validation) folders.validation = validation && join(folder, validation);
  }
  const notes: string[] = [];
  let trainListing: FolderListing | undefined;
  let trainSize: readonly [number, number] | undefined;
  const open = async (part: Part): Promise<ImageDataset | undefined> => {
    const place = folders[part];
    if (place === undefined) return undefined;
    // The other parts go by the classes and the image size of the training part.
    trainListing ??= await listFolder(folders.train ?? place, options.classNames);
    const listing =
      place === trainListing.folder
        ? trainListing
        : await listFolder(place, trainListing.classNames);
    const imageSize = options.imageSize ?? trainSize;
    const dataset = await FolderDataset.open(listing, { ...options, imageSize, name: place });
    if (part === 'train') trainSize = [dataset.imageShape[0], dataset.imageShape[1]];
    const { skipped } = dataset;
    if (skipped.length > 0) {
      notes.push(`${place}: skipped ${skipped.length} files that are no images (${skipped[0]}, …)`);
    }
    return dataset;
  };
  return { open, notes };
}
