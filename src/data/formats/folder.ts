/**
 * Folders of images: one folder per class, `DIR/CLASS/*`, or all images in one folder, each named after
 * its class (`homer_simpson_3.jpg`).
 */
import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { DataError, UsageError } from '../../errors.js';
import { fileOf, IMAGE_EXTENSIONS, isImageName, type ImageSource } from '../decode/decode.js';
import { listed } from '../parts.js';
import { SIGNS } from '../builtin/sign_shapes.js';

/** Folders that are parts of a data set rather than classes; upper and lower case are alike. */
export const PART_FOLDERS = {
  train: ['train', 'training'],
  validation: ['val', 'valid', 'validation'],
  test: ['test', 'testing'],
} as const;

/** What lies in a folder of images. */
export interface FolderListing {
  folder: string;
  classNames: string[];
  files: ImageSource[];
  labels: Int32Array;
  groups?: Int32Array;
  /** Files in class folders that are no images. */
  skipped: string[];
  /** Classes with too few images, which were left out. */
  leftOut: string[];
  /** What is worth telling people. */
  notes: string[];
}

export interface ListOptions {
  /** The classes that there may be, in the order of their numbers; by default those there are. */
  expected?: readonly string[];
  /** Classes with fewer images are left out. */
  minImages?: number;
  /** Class folders that are passed over: classes left out of another part. */
  leftOut?: readonly string[];
  /** Folders beside the class folders that are none. */
  others?: readonly string[];
}

/** Names of class folders in order; by number where all of them are numbers. */
export function sortClassNames(names: readonly string[]): string[] {
  const isNumbered = names.every((name) => /^\d+$/.test(name));
  return [...names].sort((a, b) => {
    if (isNumbered && Number(a) !== Number(b)) return Number(a) - Number(b);
    return a < b ? -1 : a > b ? 1 : 0;
  });
}

/** The folders in a folder that people put there: no hidden ones. */
export async function subfolders(folder: string): Promise<string[]> {
  const names: string[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    // The second is what Macs put into zip archives.
    if (entry.name.startsWith('.') || entry.name === '__MACOSX') continue;
    const isFolder = entry.isSymbolicLink()
      ? await stat(join(folder, entry.name)).then(
          (info) => info.isDirectory(),
          () => false,
        )
      : entry.isDirectory();
    if (isFolder) names.push(entry.name);
  }
  return names;
}

/** The images that lie in a folder itself, in order of their names. */
export async function looseImages(folder: string): Promise<string[]> {
  const names = await readdir(folder);
  return names.filter((name) => !name.startsWith('.') && isImageName(name)).sort();
}

/**
 * Lists the images of a folder of class folders; opens none of them. The 43 numbered classes of GTSRB
 * get the names of their signs.
 *
 * Folders without images are left out, with a note, and so are those of classes with too few.
 *
 * @throws DataError for fewer than two classes, no images at all, a class not expected, and two folders
 * that differ only in upper and lower case
 * @throws UsageError for a `minImages` that is not a whole number from 1 on
 */
export async function listFolder(
  folder: string,
  { expected, minImages, leftOut = [], others = [] }: ListOptions = {},
): Promise<FolderListing> {
  if (minImages !== undefined && !(Number.isInteger(minImages) && minImages >= 1)) {
    throw new UsageError(`data: minImages must be a whole number ≥ 1, got ${minImages}`);
  }
  const found = sortClassNames(await subfolders(folder)).filter(
    (name) => !leftOut.includes(name) && !others.includes(name),
  );
  checkFolderNames(folder, found);
  if (expected === undefined && found.length < 2) throw await tooFewClasses(folder, found);
  const classes: { name: string; images: string[] }[] = [];
  const listing = emptyListing(folder);
  const few: string[] = [];
  const empty: string[] = [];
  for (const name of found) {
    const isKnown = expected === undefined || classOf(name, expected) !== -1;
    const entries = (await readdir(join(folder, name))).filter((entry) => !entry.startsWith('.'));
    const images = entries.filter(isImageName).sort();
    if (images.length === 0) {
      empty.push(name);
      listing.leftOut.push(name);
      continue;
    }
    if (images.length < (minImages ?? 0) && (expected === undefined || !isKnown)) {
      few.push(`${name} ${images.length}`);
      listing.leftOut.push(name);
      continue;
    }
    if (!isKnown) throw foreignClass(folder, name, expected);
    const strangers = entries.filter((entry) => !isImageName(entry) && !isSignTable(entry, name));
    listing.skipped.push(...strangers.map((entry) => join(folder, name, entry)));
    classes.push({ name, images });
  }
  if (few.length > 0) {
    listing.notes.push(
      `${folder}: left out ${few.length} classes of fewer than ${minImages} images (${few.join(', ')})`,
    );
  }
  if (empty.length > 0) {
    listing.notes.push(
      `${folder}: class folders without images (${IMAGE_EXTENSIONS.join(', ')}): ${listed(empty)}`,
    );
  }
  if (expected === undefined && classes.length < 2) {
    throw new DataError(
      minImages === undefined
        ? `${folder}: expected images in at least 2 class folders, got them in ${classes.length} of` +
            ` ${found.length} (${listed(empty)}: none)`
        : `${folder}: ${classes.length} of ${found.length} classes have the ${minImages} images asked for`,
      minImages === undefined
        ? `put ${IMAGE_EXTENSIONS.join(', ')} files into the folder of each class`
        : { program: 'lower minImages', commandLine: 'lower --min-images' },
    );
  }
  listing.classNames = [...(expected ?? classes.map(({ name }) => name))];
  const labels: number[] = [];
  for (const { name, images } of classes) {
    const label = expected ? classOf(name, expected) : listing.classNames.indexOf(name);
    for (const image of images) {
      listing.files.push(join(folder, name, image));
      labels.push(label);
    }
  }
  if (listing.files.length === 0) {
    throw new DataError(
      found.length === 0
        ? `${folder}: has no class folders`
        : `${folder}: no images in its class folders (${listed(found)})`,
      `put ${IMAGE_EXTENSIONS.join(', ')} files into the folder of each class`,
    );
  }
  const groups = trackGroups(listing.files.map(fileOf), labels);
  if (expected === undefined && groups && isNumberedLikeSigns(listing.classNames)) {
    listing.classNames = SIGNS.map(({ name }) => name);
  }
  return { ...listing, labels: Int32Array.from(labels), groups };
}

/**
 * Lists a folder of images each of which is named after its class and a number: `homer_simpson_3.jpg`.
 * Images of no known class are left out, with a note; names of classes are not told apart by case.
 *
 * @throws DataError if no image is named after a class
 */
export async function listNamedImages(
  folder: string,
  classNames: readonly string[],
  leftOut: readonly string[] = [],
): Promise<FolderListing> {
  const listing = { ...emptyListing(folder), classNames: [...classNames] };
  const labels: number[] = [];
  const strangers: string[] = [];
  const names = await looseImages(folder);
  for (const name of names) {
    const label = namedClass(name, classNames);
    if (label !== -1) {
      listing.files.push(join(folder, name));
      labels.push(label);
    } else if (namedClass(name, leftOut) === -1) strangers.push(name);
  }
  if (labels.length === 0) {
    throw new DataError(
      `${folder}: none of ${names.length} images is named after one of the ${classNames.length}` +
        ` classes (${listed(classNames)}), such as ${classNames[0]}_1.jpg; the first is ${names[0]}`,
      'rename the images, or put those of each class into a folder of its own',
    );
  }
  const others = names.length - labels.length - strangers.length;
  if (others > 0) listing.notes.push(`${folder}: left out ${others} images of classes left out`);
  if (strangers.length > 0) {
    listing.notes.push(
      `${folder}: left out ${strangers.length} images of no known class (${strangers[0]}, …)`,
    );
  }
  return { ...listing, labels: Int32Array.from(labels) };
}

/** The class a file name begins with, before an underscore, hyphen, blank or number; the longest one. */
export function namedClass(fileName: string, classNames: readonly string[]): number {
  const stem = fileName.slice(0, fileName.lastIndexOf('.')).toLowerCase();
  let best = -1;
  for (const [label, name] of classNames.entries()) {
    if (
      !stem.startsWith(name.toLowerCase()) ||
      !/^([_\- ].*|\d+|)$/.test(stem.slice(name.length))
    ) {
      continue;
    }
    if (best === -1 || name.length > classNames[best].length) best = label;
  }
  return best;
}

function emptyListing(folder: string): Omit<FolderListing, 'groups'> {
  return {
    ...{ folder, classNames: [], files: [], labels: new Int32Array(0) },
    ...{ skipped: [], leftOut: [], notes: [] },
  };
}

async function tooFewClasses(folder: string, found: readonly string[]): Promise<DataError> {
  const loose = (await looseImages(folder)).length;
  return new DataError(
    `${folder}: expected at least 2 class folders, got ${found.length}` +
      (found.length === 1 ? ` (${found[0]})` : '') +
      (loose > 0 ? ` and ${loose} images outside of any` : ''),
    'put the images of each class into a folder named like the class',
  );
}

function foreignClass(folder: string, name: string, expected: readonly string[]): DataError {
  return new DataError(
    `${folder}: class folder '${name}' is none of the ${expected.length} known classes` +
      ` (${listed(expected)})`,
    'rename the folder or move it away',
  );
}

function checkFolderNames(folder: string, names: readonly string[]): void {
  const seen = new Map<string, string>();
  for (const name of names) {
    const plain = name.normalize('NFC').toLowerCase();
    const other = seen.get(plain);
    if (other !== undefined) {
      throw new DataError(
        `${folder}: class folders '${other}' and '${name}' differ only in upper and lower case`,
        'put their images into one folder, or rename one of them',
      );
    }
    seen.set(plain, name);
  }
}

/** The number of the class that a folder stands for, by its name or as a numbered sign; or -1. */
function classOf(name: string, classNames: readonly string[]): number {
  const label = classNames.indexOf(name);
  if (label !== -1 || !/^\d+$/.test(name)) return label;
  return classNames.indexOf(SIGNS[Number(name)]?.name);
}

function isNumberedLikeSigns(names: readonly string[]): boolean {
  return (
    names.length === SIGNS.length &&
    names.every((name, index) => /^\d+$/.test(name) && Number(name) === index)
  );
}

/** GTSRB's own table of a class, GT-00000.csv in the folder 00000. */
function isSignTable(entry: string, className: string): boolean {
  return entry === `GT-${className}.csv` && /^\d{5}$/.test(className);
}

/**
 * Groups of the frames of one track, where every file is named TRACK_FRAME in digits as in GTSRB, or
 * CLASS_TRACK_FRAME. Track numbers begin anew in each class.
 */
function trackGroups(files: string[], labels: number[]): Int32Array | undefined {
  const numbers = new Map<string, number>();
  const groups = new Int32Array(files.length);
  for (const [index, file] of files.entries()) {
    const match = /^((?:\d+_)?\d+)_\d+\.\w+$/.exec(basename(file));
    if (match === null) return undefined;
    const track = `${labels[index]}/${match[1]}`;
    if (!numbers.has(track)) numbers.set(track, numbers.size);
    groups[index] = numbers.get(track)!;
  }
  return groups;
}
