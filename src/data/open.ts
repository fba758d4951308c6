/** Opens a data set by the words of the command line. */
import { DataError } from '../gpu/errors.js';
import type { ImageDataset } from './dataset.js';
import { checkImageForm, reshaped } from './resize.js';
import { openSource, type OpenOptions, type Part } from './sources.js';

/** The parts of a data set. */
export interface OpenedData {
  train: ImageDataset;
  /** Where a folder has both `val` and `test`. */
  validation?: ImageDataset;
  test?: ImageDataset;
  /** What is worth telling people: skipped files. */
  notes: string[];
}

/**
 * Opens a data set: `builtin:digits`, `builtin:signs`, a CSV file, or a folder (MNIST idx files, CSV files,
 * CIFAR binary files, class folders of images).
 *
 * Grey is one channel and colour three; `imageSize` and `channels` convert any source. Class folders
 * are read in colour and in their own size unless asked otherwise.
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
): Promise<{ train?: undefined; test: ImageDataset; notes: string[] }>;
export function openDataset(spec: string, options?: OpenOptions): Promise<OpenedData>;
export async function openDataset(
  spec: string,
  options: OpenOptions = {},
): Promise<Partial<OpenedData> & { notes: string[] }> {
  checkImageForm(options);
  const source = await openSource(spec, options);
  const open = async (part: Part): Promise<ImageDataset | undefined> => {
    if (options.split !== undefined && options.split !== part) return undefined;
    const dataset = await source.open(part);
    return dataset && reshaped(dataset, options);
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
      `${spec}: has no training part`,
      'name the folder of training images itself',
    );
  }
  return { train, validation, test, notes: source.notes ?? [] };
}
