/**
 * The German Traffic Sign Recognition Benchmark as it is published: class folders of PPM tracks below
 * `Final_Training/Images`, and test images in one folder with a table of their classes. Copies with
 * `Train`, `Test` and `Test.csv` in place of them are read alike.
 *
 * Source: Stallkamp, Schlipsing, Salmen, Igel, "Man vs. computer: benchmarking machine learning
 * algorithms for traffic sign recognition", Neural Networks 32, 2012; the benchmark's web page for the
 * columns of its tables.
 */
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { DataError } from '../../errors.js';
import { fileOf, type ImageSource, type Region } from '../decode/decode.js';
import { PART_FOLDERS, subfolders, type FolderListing } from './folder.js';
import { listed } from '../parts.js';
import { SIGNS } from '../builtin/sign_shapes.js';
import { readTable, wholeField, type TableRow } from './table.js';

/** What of a GTSRB there is. */
export interface SignFolders {
  /** The folder of class folders. */
  train?: string;
  test?: SignTable;
  /** What of the folder they are: names of folders and of tables in it. */
  names: string[];
  notes: string[];
}

/** Images that a table lists. */
export interface SignTable {
  /** The table itself. */
  file: string;
  /** What the paths in it are relative to. */
  folder: string;
}

const IMAGES = 'Images';
const TEST_TABLE = 'GT-final_test.csv';
const BOX = ['Roi.X1', 'Roi.Y1', 'Roi.X2', 'Roi.Y2'] as const;

function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** The parts of a GTSRB in a folder, or in the folder GTSRB inside it; undefined for another folder. */
export async function findSigns(folder: string): Promise<SignFolders | undefined> {
  const own = (await findPublished(folder)) ?? (await findRenamed(folder));
  if (own) return own;
  const place = join(folder, 'GTSRB');
  const inside = (await findPublished(place)) ?? (await findRenamed(place));
  return inside && { ...inside, names: ['GTSRB'] };
}

async function findPublished(place: string): Promise<SignFolders | undefined> {
  const train = join(place, 'Final_Training', IMAGES);
  const test = join(place, 'Final_Test', IMAGES);
  const names = ['Final_Training', 'Final_Test', TEST_TABLE];
  const found: SignFolders = { names, notes: [] };
  if (await isThere(train)) found.train = train;
  if (await isThere(test)) {
    for (const where of [test, dirname(test), place]) {
      const file = join(where, TEST_TABLE);
      if (!found.test && (await isThere(file))) found.test = { file, folder: test };
    }
    if (!found.test) {
      found.notes.push(
        `${test}: left out: without ${TEST_TABLE} (part of a download of its own) the classes are` +
          ' not known',
      );
    }
  }
  return found.train || found.test ? found : undefined;
}

/** Class folders below Train, and Test.csv with paths and classes. */
async function findRenamed(place: string): Promise<SignFolders | undefined> {
  const names = await readdir(place).catch((): string[] => []);
  if (!names.includes('Test.csv')) return undefined;
  const file = join(place, 'Test.csv');
  const rows = await readTable(file, ['ClassId', 'Path']).catch(() => undefined);
  if (rows === undefined) return undefined;
  const folders = await subfolders(place);
  const named = (part: 'train' | 'test'): string | undefined =>
    folders.find((name) => PART_FOLDERS[part].some((known) => known === name.toLowerCase()));
  const train = named('train');
  return {
    train: train && join(place, train),
    test: { file, folder: place },
    names: ['Meta', 'Meta.csv', 'Train.csv', 'Test.csv', train ?? '', named('test') ?? ''],
    notes: [],
  };
}

/**
 * Lists the images of a table.
 *
 * @throws DataError with the line number for a row that is wrong, and where the classes have no numbers
 */
export async function listSignTable(
  { file, folder }: SignTable,
  classNames: readonly string[],
  crop: boolean,
): Promise<FolderListing> {
  const numbers = classNumbers(classNames);
  if (numbers === undefined) {
    throw new DataError(
      `${file}: its classes are numbers, those of the training part are ${listed(classNames)}`,
    );
  }
  const columns = ['ClassId', ...(crop ? BOX : [])];
  const rows = await readTable(file, columns);
  const files: ImageSource[] = [];
  const labels: number[] = [];
  const most = Math.max(...numbers.keys());
  for (const row of rows) {
    const name = row.fields.Filename ?? row.fields.Path;
    if (!name) throw new DataError(`${file}:${row.line}: expected a file name (Filename or Path)`);
    const path = join(folder, name);
    const label = numbers.get(wholeField(file, row, 'ClassId', 0, most));
    if (label === undefined) {
      throw new DataError(
        `${file}:${row.line}: ClassId ${row.fields.ClassId} is none of the ${numbers.size} classes` +
          ' of the training part',
        'mend that line',
      );
    }
    files.push(crop ? { file: path, region: regionOf(file, row) } : path);
    labels.push(label);
  }
  if (files.length === 0) throw new DataError(`${file}: lists no images`);
  return {
    ...{ folder, classNames: [...classNames], files, labels: Int32Array.from(labels) },
    ...{ skipped: [], leftOut: [], notes: [] },
  };
}

/**
 * The listing with each image cut to its sign, by the table beside the images of each class.
 *
 * @throws DataError for a class without a table, or an image that is not in it
 */
export async function cropListing(listing: FolderListing): Promise<FolderListing> {
  const regions = new Map<string, Region>();
  const folders = new Set(listing.files.map((source) => dirname(fileOf(source))));
  for (const folder of folders) {
    const file = join(folder, `GT-${basename(folder)}.csv`);
    for (const row of await readTable(file, ['Filename', ...BOX])) {
      regions.set(join(folder, row.fields.Filename), regionOf(file, row));
    }
  }
  const files = listing.files.map((source): ImageSource => {
    const file = fileOf(source);
    const region = regions.get(file);
    if (region) return { file, region };
    throw new DataError(
      `${file}: not in ${join(dirname(file), `GT-${basename(dirname(file))}.csv`)}`,
      { program: 'open the data without crop', commandLine: 'leave out --crop roi' },
    );
  });
  return { ...listing, files };
}

/** The box of the sign; its last column and row belong to it. */
function regionOf(file: string, row: TableRow): Region {
  const [left, top, right, bottom] = BOX.map((name) => wholeField(file, row, name, 0, 65_535));
  if (right < left || bottom < top) {
    throw new DataError(
      `${file}:${row.line}: the box of the sign ends (${right}, ${bottom}) before it begins` +
        ` (${left}, ${top})`,
      'mend that line',
    );
  }
  return { left, top, width: right - left + 1, height: bottom - top + 1 };
}

/**
 * Which class each number stands for, where the classes are numbers or the signs of GTSRB; undefined
 * where they have names of their own.
 */
export function classNumbers(classNames: readonly string[]): Map<number, number> | undefined {
  const numbers = new Map<number, number>();
  for (const [label, name] of classNames.entries()) {
    const number = /^\d+$/.test(name)
      ? Number(name)
      : SIGNS.findIndex((sign) => sign.name === name);
    if (number === -1) return undefined;
    numbers.set(number, label);
  }
  return numbers;
}
