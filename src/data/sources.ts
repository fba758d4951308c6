/** The places data come from: what a name on the command line stands for, and how its parts are opened. */
import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { DataError, UsageError } from '../gpu/errors.js';
import { findCifar, openCifar } from './cifar.js';
import { openCsv } from './csv.js';
import type { ImageDataset } from './dataset.js';
import { builtinSizes, drawDigits } from './digits.js';
import { hasArrays, openArrays } from './arrays.js';
import { looseImages, subfolders } from './folder.js';
import { findPlaces, imagesSource } from './images_source.js';
import { findMnistFile, openMnist, type Split } from './mnist.js';
import type { Part } from './parts.js';
import type { OpenImagesOptions, SkippedImage } from './open_images.js';
import { drawSigns } from './signs.js';

export const DATA_FORMATS = ['auto', 'mnist', 'csv', 'cifar', 'npy', 'images'] as const;
export type DataFormat = (typeof DATA_FORMATS)[number];

/** The data sets the program draws itself, and how many training pictures they have by default. */
export const BUILTIN_DATASETS = { 'builtin:digits': 6000, 'builtin:signs': 5160 } as const;
export type BuiltinName = keyof typeof BUILTIN_DATASETS;

export interface OpenOptions extends OpenImagesOptions {
  /** Opens this part alone. */
  split?: Split;
  /** Of the drawn data sets. Default 1. */
  seed?: number;
  /** Training pictures of the drawn data sets; their test part has a sixth as many. */
  size?: number;
  /** What DIR holds; 'auto' looks. */
  format?: DataFormat;
  /** Classes of idx, CSV and .npy files, whose labels are only numbers. Default 10; of .npy, those that occur. */
  classCount?: number;
  /** Class folders there may be, in the order of their numbers (those a network was trained on). */
  classNames?: readonly string[];
  /** Class folders with fewer images are left out. */
  minImages?: number;
  /** 'roi' cuts each image of GTSRB to its sign, by the tables published with it. */
  crop?: 'roi';
  /** When image files are decoded: all at once as they are opened, or as they are read. Default 'open'. */
  decodeAt?: 'open' | 'read';
}

export type { Part } from './parts.js';

/** A place data come from. Opening a part gives undefined where there is none. */
export interface Source {
  open(part: Part): Promise<ImageDataset | undefined>;
  notes?: string[];
  /** Image files that were left out, with the reason; complete when the parts are open. */
  skipped?: SkippedImage[];
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
  if (info.isFile()) {
    return hasArrays(spec) ? arraysSource(spec, [], options) : csvFileSource(spec, options);
  }
  const source = await folderSource(spec, format, options);
  if (source !== undefined) return source;
  throw new DataError(
    `${spec}: expected ` +
      (format === 'auto'
        ? 'MNIST idx files, a CSV file, CIFAR binary files, .npy or .npz arrays or class folders of' +
          ' images'
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
  const places = isAllowed('images') ? await findPlaces(folder) : undefined;
  // Tables that lie beside class folders are about the images, not images themselves.
  if (places?.isCertain) return imagesSource(places, options);
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
  if (isAllowed('npy')) {
    const names = (await readdir(folder)).filter(hasArrays).sort();
    if (names.length > 0) return arraysSource(folder, names, options);
  }
  if (places && (format === 'images' || (await holdsImages(folder, options)))) {
    return imagesSource(places, options);
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

/** Class folders, or images named after classes that are known. */
async function holdsImages(folder: string, { classNames }: OpenOptions): Promise<boolean> {
  if ((await subfolders(folder)).length > 0) return true;
  return classNames !== undefined && (await looseImages(folder)).length > 0;
}

/** All parts come from the same files, and are read together. */
function arraysSource(place: string, names: string[], options: OpenOptions): Source {
  let opened: ReturnType<typeof openArrays> | undefined;
  const notes: string[] = [];
  return {
    open: async (part) => {
      if (opened === undefined) {
        opened = openArrays(place, names, options.classCount);
        notes.push(...opened.notes);
      }
      return opened.parts[part];
    },
    notes,
  };
}

function isCsvName(name: string): boolean {
  return /\.csv(\.gz)?$/i.test(name);
}

function csvFileSource(file: string, options: OpenOptions): Source {
  if (!isCsvName(file)) {
    throw new DataError(
      `${file}: expected a folder, a .csv or an .npz file`,
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
