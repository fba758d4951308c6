import { openDataset, type OpenedData } from './open/open.js';
import type { OpenOptions } from './open/sources.js';

/* Sources by name, for programs that know what a folder holds; openDataset finds out. */

type SourceOptions = Omit<OpenOptions, 'format' | 'split'>;

/** A folder with one folder of images a class, or with such folders in `train`, `val` and `test`. */
export function images(folder: string, options: SourceOptions = {}): Promise<OpenedData> {
  return openDataset(folder, { ...options, format: 'images' });
}

/** A folder of MNIST's idx files, plain or gzipped, or of a data set published alike. */
export function mnist(folder: string, options: SourceOptions = {}): Promise<OpenedData> {
  return openDataset(folder, { ...options, format: 'mnist' });
}

/** Pictures that the library draws: handwritten digits or traffic signs. */
export function builtin(
  name: 'digits' | 'signs',
  options: SourceOptions = {},
): Promise<OpenedData> {
  return openDataset(`builtin:${name}`, options);
}
