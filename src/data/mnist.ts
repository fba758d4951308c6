/** MNIST and its relatives (Fashion-MNIST, …): a folder with idx files of images and of labels. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from '../gpu/errors.js';
import { checkLabels, MemoryDataset, numberedClasses } from './dataset.js';
import { readIdx } from './idx.js';

/** The two parts of MNIST and how their files begin. */
export const MNIST_PREFIX = { train: 'train', test: 't10k' } as const;
export type Split = keyof typeof MNIST_PREFIX;

/** Names under which a file is found: as published, with dots as some archives have it, gz or not. */
export function mnistFileNames(split: Split, kind: 'images' | 'labels'): string[] {
  const prefix = MNIST_PREFIX[split];
  const type = kind === 'images' ? 'idx3' : 'idx1';
  return [`${prefix}-${kind}-${type}-ubyte`, `${prefix}-${kind}.${type}-ubyte`].flatMap((name) => [
    name,
    `${name}.gz`,
  ]);
}

/** The path of a file of MNIST in a folder, or undefined. */
export async function findMnistFile(
  folder: string,
  split: Split,
  kind: 'images' | 'labels',
): Promise<string | undefined> {
  const present = new Set(await readdir(folder));
  const name = mnistFileNames(split, kind).find((candidate) => present.has(candidate));
  return name === undefined ? undefined : join(folder, name);
}

async function requireMnistFile(
  folder: string,
  split: Split,
  kind: 'images' | 'labels',
): Promise<string> {
  const file = await findMnistFile(folder, split, kind);
  if (file !== undefined) return file;
  throw new DataError(
    `${folder}: MNIST needs ${mnistFileNames(split, kind)[1]} (or without .gz), which is not there`,
    `tilegrad data download mnist --dir ${folder}`,
  );
}

/**
 * Reads the training or test part of an MNIST folder.
 *
 * @throws DataError for a file that is missing, foreign or truncated, for labels out of range, and
 * when there are not as many labels as images
 */
export async function openMnist(
  folder: string,
  split: Split,
  classCount = 10,
): Promise<MemoryDataset> {
  const imagesFile = await requireMnistFile(folder, split, 'images');
  const labelsFile = await requireMnistFile(folder, split, 'labels');
  const [images, labels] = await Promise.all([readIdx(imagesFile, 3), readIdx(labelsFile, 1)]);
  const [count, height, width] = images.shape;
  if (labels.shape[0] !== count) {
    throw new DataError(
      `${folder}: ${count} images in ${imagesFile}, but ${labels.shape[0]} labels in ${labelsFile}`,
      'take both files from the same download',
    );
  }
  if (count === 0) throw new DataError(`${imagesFile}: has no images`);
  checkLabels(labelsFile, labels.values, classCount);
  return new MemoryDataset({
    name: `mnist ${split}`,
    imageShape: [height, width, 1],
    classNames: numberedClasses(classCount),
    labels: Int32Array.from(labels.values),
    images: images.values,
    describe: (index) => `${MNIST_PREFIX[split]} #${index}`,
  });
}
