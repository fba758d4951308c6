/** MNIST and its relatives (Fashion-MNIST, EMNIST, …): a folder with idx files of images and of labels. */
import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { DataError } from '../../errors.js';
import { checkLabels, MemoryDataset, numberedClasses } from '../dataset.js';
import { readIdx } from './idx.js';
import type { Layout } from '../layout.js';
import { listed, type Part } from '../parts.js';

/** The two parts of MNIST and how their files begin. */
const MNIST_PREFIX = { train: 'train', test: 't10k' } as const;
export type Split = keyof typeof MNIST_PREFIX;

/** Images and labels of a part. */
interface IdxPair {
  images?: string;
  labels?: string;
}

/** The files of one data set in a folder. */
export interface IdxSet {
  folder: string;
  /** What its file names begin with: nothing, or `emnist-letters-`. */
  prefix: string;
  parts: Partial<Record<Split, IdxPair>>;
}

/** As published, with dots as some archives have it, with another set's name before it, gz or not. */
const FILE = /^(.*?)(train|t10k|test)-(?:images[-.]idx3|labels[-.]idx1)-ubyte(\.gz)?$/i;

/** Whether a file is named like one of images or labels of MNIST. */
export function isIdxName(file: string): boolean {
  return FILE.test(basename(file));
}

/** The data sets of idx files in a folder: those without a name of their own come first. */
export async function findIdxSets(folder: string): Promise<IdxSet[]> {
  const sets = new Map<string, IdxSet>();
  // A plain file comes before a packed one, dashes before dots.
  for (const name of (await readdir(folder)).sort()) {
    const match = FILE.exec(name);
    if (match === null) continue;
    const [, prefix, word] = match;
    const set = sets.get(prefix) ?? { folder, prefix, parts: {} };
    sets.set(prefix, set);
    const pair = (set.parts[word.toLowerCase() === 'train' ? 'train' : 'test'] ??= {});
    const kind = /images/i.test(name.slice(prefix.length)) ? 'images' : 'labels';
    pair[kind] ??= join(folder, name);
  }
  const found = [...sets.values()].filter(({ parts }) => parts.train?.images ?? parts.test?.images);
  return found.sort((a, b) => (a.prefix < b.prefix ? -1 : 1));
}

/** The set that a file belongs to. */
export async function idxSetOf(file: string): Promise<IdxSet | undefined> {
  const prefix = FILE.exec(basename(file))?.[1];
  return (await findIdxSets(dirname(file))).find((set) => set.prefix === prefix);
}

/**
 * The idx files of a folder as a layout.
 *
 * @param others data sets beside this one that are not used
 * @throws DataError if there are several sets and none goes without a name of its own
 */
export function idxLayout(
  sets: readonly IdxSet[],
  folder: string,
  { classCount, split }: { classCount?: number; split?: Split },
): Layout {
  const [set = { folder, prefix: '', parts: {} }, ...others] = sets;
  const firstFile = ({ parts }: IdxSet): string => (parts.train?.images ?? parts.test?.images)!;
  if (others.length > 0 && set.prefix !== '') {
    throw new DataError(
      `${folder}: holds several data sets: ${listed(sets.map(({ prefix }) => `${prefix}…`))}`,
      `name the file of images of one of them, such as ${firstFile(set)}`,
    );
  }
  const notes = others.map((other) => `${firstFile(other)}: not used, nor are the files beside it`);
  if (/^emnist/i.test(set.prefix)) {
    notes.push(
      `${folder}: images of EMNIST lie on their side as published, rows for columns: a network trained` +
        ' on them expects pictures that lie so too',
    );
  }
  const parts: Partial<Record<Part, string>> = {};
  for (const part of ['train', 'test'] as const) {
    const images = set.parts[part]?.images;
    if (images !== undefined) parts[part] = images;
  }
  return {
    parts,
    notes,
    open: async (part, beside) => {
      if (part === 'validation') return undefined;
      // The files of a part that must be there are named where they are missing.
      const isNeeded = (part === 'train' && beside === undefined) || split === part;
      if (!isNeeded && parts[part] === undefined) return undefined;
      return openIdxPart(set, part, beside?.classNames.length ?? classCount);
    },
  };
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
  const sets = await findIdxSets(folder);
  const set = sets.find(({ prefix }) => prefix === '') ?? { folder, prefix: '', parts: {} };
  return openIdxPart(set, split, classCount);
}

async function openIdxPart(set: IdxSet, split: Split, classCount = 10): Promise<MemoryDataset> {
  const { images: imagesFile, labels: labelsFile } = set.parts[split] ?? {};
  if (imagesFile === undefined) throw missingFile(set, split, 'images-idx3');
  if (labelsFile === undefined) throw missingFile(set, split, 'labels-idx1');
  const [images, labels] = await Promise.all([readIdx(imagesFile, 3), readIdx(labelsFile, 1)]);
  const [count, height, width] = images.shape;
  if (labels.shape[0] !== count) {
    throw new DataError(
      `${set.folder}: ${count} images in ${imagesFile}, but ${labels.shape[0]} labels in ${labelsFile}`,
      'take both files from the same download',
    );
  }
  if (count === 0) throw new DataError(`${imagesFile}: has no images`);
  checkLabels(labelsFile, labels.values, classCount);
  const name = set.prefix.replace(/[-_.]+$/, '');
  return new MemoryDataset({
    name: `${name === '' ? 'mnist' : name} ${split}`,
    imageShape: [height, width, 1],
    classNames: numberedClasses(classCount),
    labels: Int32Array.from(labels.values),
    images: images.values,
    describe: (index) => `${set.prefix}${MNIST_PREFIX[split]} #${index}`,
  });
}

function missingFile({ folder, prefix }: IdxSet, split: Split, kind: string): DataError {
  const word = prefix === '' ? MNIST_PREFIX[split] : split;
  const name = `${prefix}${word}-${kind}-ubyte.gz`;
  return new DataError(
    `${folder}: ${prefix === '' ? 'MNIST' : 'this data set'} needs ${name} (or without .gz), which is not there`,
    prefix === '' ? `tilegrad data download mnist --dir ${folder}` : 'unpack the whole archive',
  );
}
