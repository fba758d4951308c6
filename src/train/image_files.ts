import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isImageName } from '../data/index.js';
import { DataError } from '../errors.js';

/**
 * The files that names stand for: a folder for all images in it and in its folders, in order of their
 * paths; anything else for itself.
 *
 * Errors: DataError for a folder without images, or one that cannot be read.
 */
export async function imageFiles(names: readonly string[]): Promise<string[]> {
  const files: string[] = [];
  for (const name of names) {
    const info = await stat(name).catch(() => undefined);
    if (!info?.isDirectory()) {
      files.push(name);
      continue;
    }
    const found = await imagesBelow(name);
    if (found.length === 0) throw new DataError(`${name}: no images in this folder`);
    // One by one: a call takes only so many arguments.
    for (const file of found) files.push(file);
  }
  return files;
}

async function imagesBelow(folder: string): Promise<string[]> {
  let entries: string[];
  try {
    entries = await readdir(folder, { recursive: true });
  } catch (cause) {
    throw new DataError(`${folder}: cannot be read: ${(cause as Error).message}`);
  }
  const isShown = (path: string): boolean => !/(^|[\\/])(\.|__MACOSX)/.test(path);
  return entries
    .filter((path) => isImageName(path) && isShown(path))
    .sort()
    .map((path) => join(folder, path));
}
