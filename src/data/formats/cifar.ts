/**
 * CIFAR-10 and CIFAR-100 in both of their published forms. Binary: records of one label byte (CIFAR-100: a
 * coarse one, then the fine one used here) and 3072 bytes, the red, green and blue plane of a 32×32 image.
 * Python: pickled dictionaries with the same bytes as an array `data`, and `labels` or `fine_labels`.
 *
 * Source: Krizhevsky, "The CIFAR-10 dataset" (web page), sections "Binary version" and "Python version".
 */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from '../../errors.js';
import { checkLabels, MemoryDataset, numberedClasses } from '../dataset.js';
import { readWhole } from './gzip.js';
import type { Layout } from '../layout.js';
import type { Split } from './mnist.js';
import { parsePickle, textOf } from './python_pickle.js';

const SIDE = 32;
const PLANE = SIDE * SIDE;

interface CifarKind {
  name: string;
  classCount: number;
  files: Record<Split, string[]>;
  classFile: string;
  /** The folder inside the published archive. */
  archiveFolder: string;
  /** Of the binary version: bytes before each image. */
  labelBytes?: number;
  /** Of the Python version: the names of labels and of their classes. */
  keys?: { labels: string; names: string };
}

const FIVE = [1, 2, 3, 4, 5];

const CIFAR_KINDS: readonly CifarKind[] = [
  {
    ...{ name: 'cifar10', classCount: 10, labelBytes: 1 },
    files: { train: FIVE.map((part) => `data_batch_${part}.bin`), test: ['test_batch.bin'] },
    ...{ classFile: 'batches.meta.txt', archiveFolder: 'cifar-10-batches-bin' },
  },
  {
    ...{ name: 'cifar100', classCount: 100, labelBytes: 2 },
    files: { train: ['train.bin'], test: ['test.bin'] },
    ...{ classFile: 'fine_label_names.txt', archiveFolder: 'cifar-100-binary' },
  },
  {
    ...{ name: 'cifar10', classCount: 10, keys: { labels: 'labels', names: 'label_names' } },
    files: { train: FIVE.map((part) => `data_batch_${part}`), test: ['test_batch'] },
    ...{ classFile: 'batches.meta', archiveFolder: 'cifar-10-batches-py' },
  },
  {
    ...{ name: 'cifar100', classCount: 100 },
    keys: { labels: 'fine_labels', names: 'fine_label_names' },
    files: { train: ['train'], test: ['test'] },
    ...{ classFile: 'meta', archiveFolder: 'cifar-100-python' },
  },
];

/** The CIFARs that a folder holds, in itself or in the folders of the published archives. */
export async function cifarLayouts(folder: string): Promise<Layout[]> {
  const layouts: Layout[] = [];
  for (const kind of CIFAR_KINDS) {
    for (const place of [folder, join(folder, kind.archiveFolder)]) {
      const entries = await readdir(place, { withFileTypes: true }).catch(() => []);
      const names = entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name);
      // Only these three together tell a file `train` of CIFAR-100 from any other.
      const isPlain = kind.files.train[0] === 'train';
      if (isPlain && !['train', 'test', 'meta'].every((name) => names.includes(name))) continue;
      const parts: Partial<Record<Split, string>> = {};
      for (const part of ['train', 'test'] as const) {
        const file = kind.files[part].find((name) => names.includes(name));
        if (file !== undefined) parts[part] = join(place, file);
      }
      if (parts.train === undefined && parts.test === undefined) continue;
      layouts.push({
        ...{ parts, notes: [] },
        open: async (part) =>
          part === 'validation' || parts[part] === undefined
            ? undefined
            : openCifar(place, kind, part),
      });
    }
  }
  return layouts;
}

/**
 * Reads the training or test part.
 *
 * @throws DataError for a missing file, one that is not a whole number of records, or a label out of range
 */
async function openCifar(folder: string, kind: CifarKind, split: Split): Promise<MemoryDataset> {
  const parts = [];
  for (const name of kind.files[split]) parts.push(await readBatch(join(folder, name), kind));
  const labels = parts.flatMap((part) => part.labels);
  return new MemoryDataset({
    name: `${kind.name} ${split}`,
    imageShape: [SIDE, SIDE, 3],
    classNames: await readClassNames(join(folder, kind.classFile), kind),
    labels: Int32Array.from(labels),
    images: new Uint8Array(Buffer.concat(parts.map((part) => part.images))),
  });
}

interface CifarBatch {
  labels: number[];
  images: Uint8Array;
}

async function readBatch(file: string, kind: CifarKind): Promise<CifarBatch> {
  const isThere = await stat(file).then(
    () => true,
    () => false,
  );
  if (!isThere) {
    throw new DataError(
      `${file}: ${kind.name} needs this file, which is not there`,
      'unpack the whole archive',
    );
  }
  const bytes = await readWhole(file);
  const batch = kind.keys
    ? pickledBatch(bytes, file, kind.keys.labels)
    : binaryBatch(bytes, file, kind.labelBytes!);
  checkLabels(file, batch.labels, kind.classCount, (index) => `record ${index}`);
  return batch;
}

function binaryBatch(bytes: Uint8Array, file: string, labelBytes: number): CifarBatch {
  const recordBytes = labelBytes + 3 * PLANE;
  const count = bytes.length / recordBytes;
  if (count === 0 || !Number.isInteger(count)) {
    const whole = Math.floor(count);
    throw new DataError(
      `${file}: truncated or foreign: expected records of ${recordBytes} bytes, got ${whole} of` +
        ` them and ${bytes.length - whole * recordBytes} bytes more`,
      'unpack the archive again',
    );
  }
  const labels: number[] = [];
  const images = new Uint8Array(count * 3 * PLANE);
  for (let record = 0; record < count; record++) {
    const pixelsAt = record * recordBytes + labelBytes;
    labels.push(bytes[pixelsAt - 1]);
    interleave(bytes.subarray(pixelsAt, pixelsAt + 3 * PLANE), images, record * 3 * PLANE);
  }
  return { labels, images };
}

function pickledBatch(bytes: Uint8Array, file: string, labelsKey: string): CifarBatch {
  const batch = parsePickle(bytes, file);
  const [data, labels] = batch instanceof Map ? [batch.get('data'), batch.get(labelsKey)] : [];
  const isMatrix = typeof data === 'object' && data !== null && 'shape' in data;
  if (!isMatrix || data.shape[1] !== 3 * PLANE || !Array.isArray(labels)) {
    throw new DataError(
      `${file}: expected a pickled dictionary with 'data' [N, ${3 * PLANE}] and '${labelsKey}'`,
      'unpack the archive again',
    );
  }
  const [count] = data.shape;
  if (labels.length !== count) {
    throw new DataError(`${file}: ${count} images, but ${labels.length} labels`);
  }
  const images = new Uint8Array(data.values.length);
  for (let start = 0; start < images.length; start += 3 * PLANE) {
    interleave(data.values.subarray(start, start + 3 * PLANE), images, start);
  }
  return { labels: labels.map(Number), images };
}

/** Planes of colour become pixels of three channels. */
function interleave(planes: Uint8Array, images: Uint8Array, start: number): void {
  for (let plane = 0; plane < 3; plane++) {
    for (let i = 0; i < PLANE; i++) images[start + i * 3 + plane] = planes[plane * PLANE + i];
  }
}

/** Names from the archive's own list; numbers where the list is not there. */
async function readClassNames(file: string, kind: CifarKind): Promise<string[]> {
  const { classCount, keys } = kind;
  const bytes = await readFile(file).catch(() => undefined);
  if (bytes === undefined) return numberedClasses(classCount);
  const names = keys ? pickledNames(bytes, file, keys.names) : bytes.toString().split(/\s+/);
  const named = names.filter((name) => name !== '');
  if (named.length === 0) return numberedClasses(classCount);
  if (named.length === classCount) return named;
  throw new DataError(`${file}: expected ${classCount} class names, got ${named.length}`);
}

function pickledNames(bytes: Uint8Array, file: string, key: string): string[] {
  const meta = parsePickle(bytes, file);
  const names = meta instanceof Map ? meta.get(key) : undefined;
  return Array.isArray(names) ? names.map(textOf) : [];
}
