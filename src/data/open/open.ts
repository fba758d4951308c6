/** Opens a data set by the words of the command line. */
import { DataError } from '../../errors.js';
import { checkSameShape, emptyClassesNote, type ImageDataset } from '../dataset.js';
import type { SkippedImage } from './open_images.js';
import { checkImageForm, inForm, type ImageForm } from '../decode/resize.js';
import type { Part } from '../parts.js';
import { openSource, type OpenOptions } from './sources.js';

/** The parts of a data set. */
export interface OpenedData {
  train: ImageDataset;
  /** Where a folder has both `val` and `test`. */
  validation?: ImageDataset;
  test?: ImageDataset;
  /** What is worth telling people: skipped files, classes left out. */
  notes: string[];
  /** Image files that cannot be decoded and were left out, with the reason. */
  skipped: SkippedImage[];
}

/**
 * Opens a data set: `builtin:digits`, `builtin:signs`, a CSV or .npz file, or a folder (MNIST idx files,
 * CSV files, CIFAR binary files, .npy arrays, GTSRB as published, class folders of images).
 *
 * Grey is one channel and colour three; `imageSize` and `channels` convert any source. Class folders
 * are read in colour and in their own size unless asked otherwise. Image files are decoded once, and
 * kept in the user's cache folder for the next run; those that cannot be decoded are left out and
 * listed in `skipped`.
 *
 * @throws DataError if the folder is missing, is of no known kind, or its files are damaged
 * @throws UsageError for an unknown builtin name or impossible options
 *
 * @example
 * const { train, test } = await openDataset('builtin:digits', { seed: 1 });
 */
export function openDataset(
  spec: string,
  options: OpenOptions & { split: 'test' },
): Promise<{ train?: undefined; test: ImageDataset; notes: string[]; skipped: SkippedImage[] }>;
export function openDataset(spec: string, options?: OpenOptions): Promise<OpenedData>;
export async function openDataset(
  spec: string,
  options: OpenOptions = {},
): Promise<Partial<OpenedData> & Pick<OpenedData, 'notes' | 'skipped'>> {
  checkImageForm(options);
  const source = await openSource(spec, options);
  let form: ImageForm = options;
  let first: ImageDataset | undefined;
  const notes: string[] = [];
  const open = async (part: Part): Promise<ImageDataset | undefined> => {
    if (options.split !== undefined && options.split !== part) return undefined;
    const dataset = await source.open(part);
    if (dataset === undefined) return undefined;
    const result = inForm(dataset, form);
    if (part === 'train') notes.push(...emptyClassesNote(dataset));
    first ??= result;
    checkSameShape(first, result);
    const [height, width] = result.imageShape;
    // Whatever size the first part came to, the others follow.
    if (form.enlarge === 'later') form = { ...form, imageSize: [height, width], enlarge: 'cpu' };
    return result;
  };
  const train = await open('train');
  const validation = await open('validation');
  const test = await open('test');
  if (options.split === 'test' && test === undefined) {
    throw new DataError(
      `${spec}: has no test part`,
      'name the folder of test images itself, or split the training part',
    );
  }
  if (options.split !== 'test' && train === undefined) {
    throw new DataError(
      `${spec}: has no training part` +
        (first === undefined ? '' : `, only ${validation ? 'a validation' : 'a test'} part`),
      'name the folder of training images itself',
    );
  }
  return {
    ...{ train, validation, test },
    notes: [...source.notes, ...notes],
    skipped: [...source.skipped],
  };
}
