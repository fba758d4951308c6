/**
 * Folders of images: one folder per class, `DIR/train/CLASS/*` with `DIR/test` and `DIR/val` beside it, or
 * `DIR/CLASS/*`.
 */
import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { DataError } from '../gpu/errors.js';
import { IMAGE_EXTENSIONS, isImageName } from './decode.js';

/** Folders that are parts of a data set rather than classes. */
export const PART_FOLDERS = {
  train: ['train', 'training'],
  validation: ['val', 'valid', 'validation'],
  test: ['test', 'testing'],
} as const;

/** What lies in a folder of class folders. */
export interface FolderListing {
  folder: string;
  classNames: string[];
  files: string[];
  labels: Int32Array;
  groups?: Int32Array;
  /** Files in class folders that are no images. */
  skipped: string[];
}

/** Names of class folders in order; by number where all of them are numbers. */
export function sortClassNames(names: readonly string[]): string[] {
  const isNumbered = names.every((name) => /^\d+$/.test(name));
  return [...names].sort((a, b) => {
    if (isNumbered && Number(a) !== Number(b)) return Number(a) - Number(b);
    return a < b ? -1 : a > b ? 1 : 0;
  });
}

/** The folders in a folder, without hidden ones. */
export async function subfolders(folder: string): Promise<string[]> {
  const names: string[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.name.startsWith('.')) continue;
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

/**
 * Lists the images of a folder of class folders; opens none of them.
 *
 * @param expected the classes that there may be, in the order of their numbers; by default those there are
 * @throws DataError for fewer than two classes, a class without images, or a class not expected
 */
export async function listFolder(
  folder: string,
  expected?: readonly string[],
): Promise<FolderListing> {
  const found = sortClassNames(await subfolders(folder));
  if (expected === undefined && found.length < 2) {
    const loose = (await readdir(folder)).filter(isImageName).length;
    throw new DataError(
      `${folder}: expected at least 2 class folders, got ${found.length}` +
        (found.length === 1 ? ` (${found[0]})` : '') +
        (loose > 0 ? ` and ${loose} images outside of any` : ''),
      'put the images of each class into a folder named like the class',
    );
  }
  const foreign = found.find((name) => expected !== undefined && !expected.includes(name));
  if (foreign !== undefined) {
    throw new DataError(
      `${folder}: class folder '${foreign}' is none of the ${expected!.length} known classes` +
        ` (${listed(expected!)})`,
      'rename the folder or move it away',
    );
  }
  const classNames = [...(expected ?? found)];
  const listing: Omit<FolderListing, 'labels'> = { folder, classNames, files: [], skipped: [] };
  const labels: number[] = [];
  for (const name of found) {
    const entries = (await readdir(join(folder, name))).filter((entry) => !entry.startsWith('.'));
    const images = entries.filter(isImageName).sort();
    if (images.length === 0) {
      throw new DataError(
        `${join(folder, name)}: class folder without images (${entries.length} other files)`,
        `put ${IMAGE_EXTENSIONS.join(', ')} files there, or remove the folder`,
      );
    }
    const others = entries.filter((entry) => !isImageName(entry));
    listing.skipped.push(...others.map((entry) => join(folder, name, entry)));
    listing.files.push(...images.map((entry) => join(folder, name, entry)));
    labels.push(...new Array<number>(images.length).fill(classNames.indexOf(name)));
  }
  if (listing.files.length === 0) throw new DataError(`${folder}: has no class folders`);
  return {
    ...listing,
    labels: Int32Array.from(labels),
    groups: trackGroups(listing.files, labels),
  };
}

function listed(names: readonly string[]): string {
  return names.slice(0, 5).join(', ') + (names.length > 5 ? ', …' : '');
}

/**
 * Groups of the frames of one track, where every file is named TRACK_FRAME in digits as in GTSRB.
 * Track numbers begin anew in each class.
 */
function trackGroups(files: string[], labels: number[]): Int32Array | undefined {
  const numbers = new Map<string, number>();
  const groups = new Int32Array(files.length);
  for (const [index, file] of files.entries()) {
    const match = /^(\d+)_\d+\.\w+$/.exec(basename(file));
    if (match === null) return undefined;
    const track = `${labels[index]}/${match[1]}`;
    if (!numbers.has(track)) numbers.set(track, numbers.size);
    groups[index] = numbers.get(track)!;
  }
  return groups;
}
