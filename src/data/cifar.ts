/**
 * CIFAR-10 and CIFAR-100 in their binary form: records of one label byte (CIFAR-100: a coarse one, then the fine
 * one used here) and 3072 bytes, the red, green and blue plane of a 32×32 image.
 *
 * Source: Krizhevsky, "The CIFAR-10 dataset" (web page), section "Binary version".
 */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from '../gpu/errors.js';
import { checkLabels, MemoryDataset, numberedClasses } from './dataset.js';
import { readWhole } from './gzip.js';
import type { Split } from './mnist.js';

const SIDE = 32;
const PLANE = SIDE * SIDE;

interface CifarKind {
  name: string;
  classCount: number;
  labelBytes: number;
  files: Record<Split, string[]>;
  classFile: string;
  /** The folder inside the published archive. */
  archiveFolder: string;
}

export const CIFAR_KINDS: readonly CifarKind[] = [
  {
    name: 'cifar10',
    classCount: 10,
    labelBytes: 1,
    files: {
      train: [1, 2, 3, 4, 5].map((part) => `data_batch_${part}.bin`),
      test: ['test_batch.bin'],
    },
    classFile: 'batches.meta.txt',
    archiveFolder: 'cifar-10-batches-bin',
  },
  {
    name: 'cifar100',
    classCount: 100,
    labelBytes: 2,
    files: { train: ['train.bin'], test: ['test.bin'] },
    classFile: 'fine_label_names.txt',
    archiveFolder: 'cifar-100-binary',
  },
];

/** Which CIFAR a folder holds, in itself or in the folder of the published archive. */
export async function findCifar(
  folder: string,
): Promise<{ folder: string; kind: CifarKind } | undefined> {
  for (const kind of CIFAR_KINDS) {
    for (const place of [folder, join(folder, kind.archiveFolder)]) {
      const names = await readdir(place).catch((): string[] => []);
      const wanted = [...kind.files.train, ...kind.files.test];
      if (wanted.some((name) => names.includes(name))) return { folder: place, kind };
    }
  }
  return undefined;
}

/**
 * Reads the training or test part.
 *
 * @throws DataError for a missing file, one that is no whole number of records, or a label out of range
 */
export async function openCifar(
  folder: string,
  kind: CifarKind,
  split: Split,
): Promise<MemoryDataset> {
  const parts = [];
  for (const name of kind.files[split]) parts.push(await readRecords(join(folder, name), kind));
  const labels = parts.flatMap((part) => part.labels);
  return new MemoryDataset({
    name: `${kind.name} ${split}`,
    imageShape: [SIDE, SIDE, 3],
    classNames: await readClassNames(join(folder, kind.classFile), kind.classCount),
    labels: Int32Array.from(labels),
    images: new Uint8Array(Buffer.concat(parts.map((part) => part.images))),
  });
}

async function readRecords(
  file: string,
  kind: CifarKind,
): Promise<{ labels: number[]; images: Uint8Array }> {
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
  const recordBytes = kind.labelBytes + 3 * PLANE;
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
    const pixelsAt = record * recordBytes + kind.labelBytes;
    labels.push(bytes[pixelsAt - 1]);
    for (let i = 0; i < 3 * PLANE; i++) {
      // Planes of colour become pixels of three channels.
      const plane = Math.floor(i / PLANE);
      images[record * 3 * PLANE + (i % PLANE) * 3 + plane] = bytes[pixelsAt + i];
    }
  }
  checkLabels(file, labels, kind.classCount, (index) => `record ${index}`);
  return { labels, images };
}

/** Names from the archive's own list; numbers where the list is not there. */
async function readClassNames(file: string, classCount: number): Promise<string[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  const names = text.split(/\s+/).filter((name) => name !== '');
  if (names.length === 0) return numberedClasses(classCount);
  if (names.length === classCount) return names;
  throw new DataError(`${file}: expected ${classCount} class names, got ${names.length}`);
}
