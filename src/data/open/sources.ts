/** The places data come from: what a name on the command line stands for, and how its parts are opened. */
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { DataError, UsageError } from '../../errors.js';
import { didYouMean } from '../../gpu/nearest_name.js';
import { arraysLayout, hasArrays } from '../formats/arrays.js';
import { cifarLayouts } from '../formats/cifar.js';
import { csvLayout, isCsvName, openCsv } from '../formats/csv.js';
import { builtinSizes, drawDigits } from '../builtin/digits.js';
import { looseImages, subfolders } from '../formats/folder.js';
import { missingDataFix, unknownDataFix } from './data_hints.js';
import { findPlaces, imagesLayout } from './images_source.js';
import { joinLayouts } from './join_layouts.js';
import type { Layout, Source } from '../layout.js';
import { findIdxSets, idxLayout, idxSetOf, isIdxName, type Split } from '../formats/mnist.js';
import type { OpenImagesOptions } from './open_images.js';
import { partOfName } from '../parts.js';
import { drawSigns } from '../builtin/signs.js';

const DATA_FORMATS = ['auto', 'mnist', 'csv', 'cifar', 'npy', 'images'] as const;
export type DataFormat = (typeof DATA_FORMATS)[number];

/** The data sets the program draws itself, and how many training pictures they have by default. */
const BUILTIN_DATASETS = { 'builtin:digits': 6000, 'builtin:signs': 5160 } as const;
type BuiltinName = keyof typeof BUILTIN_DATASETS;

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
    throw new DataError(`${spec}: no such file or folder`, missingDataFix(spec));
  }
  if (!info.isDirectory() && !info.isFile()) {
    throw new DataError(
      `${spec}: neither a file nor a folder, but a device, a pipe or a socket`,
      'name the folder or the file that holds the images',
    );
  }
  const layouts = info.isDirectory()
    ? await folderLayouts(spec, format, options)
    : [await fileLayout(spec, options)];
  if (layouts.length > 0) return joinLayouts(layouts, options.split);
  throw new DataError(
    `${spec}: expected ` +
      (format === 'auto'
        ? 'MNIST idx files, a CSV file, CIFAR files, .npy or .npz arrays or class folders of images'
        : `the files of format '${format}'`) +
      ', got none of them',
    unknownDataFix(spec, info.isDirectory() ? await filesIn(spec) : []),
  );
}

/** All kinds of data that a folder holds; the earlier of two comes first where both have a part. */
async function folderLayouts(
  folder: string,
  format: DataFormat,
  options: OpenOptions,
): Promise<Layout[]> {
  const isAllowed = (kind: DataFormat): boolean => format === 'auto' || format === kind;
  const files = await filesIn(folder);
  const layouts: Layout[] = [];
  if (isAllowed('mnist')) {
    const sets = await findIdxSets(folder);
    if (sets.length > 0 || format === 'mnist') layouts.push(idxLayout(sets, folder, options));
  }
  const places = isAllowed('images') ? await findPlaces(folder) : undefined;
  if (places?.isCertain) layouts.push(imagesLayout(places, options));
  if (isAllowed('csv')) {
    const tables = files.filter((name) => isCsvName(name) && !places?.tables.includes(name));
    // Beside class folders lie tables about the images too; only those named after a part may be one.
    const names = layouts.length > 0 ? tables.filter(partOfName) : tables;
    if (names.length > 0) layouts.push(csvLayout(folder, names, options));
  }
  if (isAllowed('cifar')) layouts.push(...(await cifarLayouts(folder)));
  const arrays = files.filter(hasArrays);
  if (isAllowed('npy') && arrays.length > 0) {
    const layout = arraysLayout(folder, arrays, options);
    if (layouts.length === 0 || Object.keys(layout.parts).length > 0) layouts.push(layout);
  }
  if (places === undefined || places.isCertain) return layouts;
  const isFallback = layouts.length === 0 && (await holdsImages(folder, options));
  if (format === 'images' || isFallback) return [imagesLayout(places, options)];
  if (layouts.length > 0 && (await holdsClassFolders(folder))) {
    // Named where they are not used.
    layouts.push(imagesLayout(places, options));
  }
  return layouts;
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map(({ name }) => name)
    .sort();
}

async function fileLayout(file: string, options: OpenOptions): Promise<Layout> {
  if (hasArrays(file)) return arraysLayout(file, [], options);
  if (isCsvName(file)) {
    const { classCount } = options;
    return {
      ...{ parts: { train: file }, notes: [] },
      open: async (part) =>
        part === 'train' ? openCsv(file, basename(file), classCount) : undefined,
    };
  }
  const set = isIdxName(file) ? await idxSetOf(file) : undefined;
  if (set !== undefined) return idxLayout([set], dirname(file), options);
  throw new DataError(
    `${file}: expected a folder, a .csv or an .npz file`,
    /\.mat$/i.test(file) ? unknownDataFix(file, []) : 'name the folder that holds the files',
  );
}

function builtinSource(spec: string, { size, seed = 1 }: OpenOptions): Source {
  if (!(spec in BUILTIN_DATASETS)) {
    throw new UsageError(
      `data: unknown data set '${spec}', expected ${Object.keys(BUILTIN_DATASETS).join(' or ')}`,
      didYouMean(spec, Object.keys(BUILTIN_DATASETS)),
    );
  }
  const draw = spec === 'builtin:signs' ? drawSigns : drawDigits;
  const sizes = builtinSizes(size ?? BUILTIN_DATASETS[spec as BuiltinName]);
  return {
    ...{ notes: [], skipped: [] },
    open: async (part) => (part === 'validation' ? undefined : draw(part, sizes[part], seed)),
  };
}

/** Class folders, or images named after classes that are known. */
async function holdsImages(folder: string, { classNames }: OpenOptions): Promise<boolean> {
  if ((await subfolders(folder)).length > 0) return true;
  return classNames !== undefined && (await looseImages(folder)).length > 0;
}

/** At least two folders of images. */
async function holdsClassFolders(folder: string): Promise<boolean> {
  let count = 0;
  for (const name of await subfolders(folder)) {
    if ((await looseImages(join(folder, name))).length > 0 && ++count === 2) return true;
  }
  return false;
}
