/** Checks a data set for problems that would spoil training. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { TilegradError } from '../errors.js';
import { checkSameShape, emptyClassesNote, type ImageDataset } from './dataset.js';
import { decodeImage, probeImage } from './decode/decode.js';
import { FolderDataset } from './decode/folder_dataset.js';
import { holdsPublished, MNIST_FILES } from './formats/mnist_files.js';
import { PARTS, type Part } from './parts.js';
import { openSource, type OpenOptions } from './open/sources.js';

export interface PartReport {
  part: Part;
  name: string;
  count: number;
  /** Height and width of the smallest and the largest image. */
  smallest: [number, number];
  largest: [number, number];
  classes: { name: string; count: number }[];
  /** Tracks, where examples belong together. */
  groups?: number;
}

export interface DataReport {
  spec: string;
  isFine: boolean;
  parts: PartReport[];
  /** What will make a training fail or worse. */
  problems: string[];
  /** What is worth knowing. */
  notes: string[];
}

/**
 * Checks all parts of a data set: opens them, decodes every image of a folder, counts the examples of
 * each class, and tells the published MNIST files from others by their contents.
 *
 * Nothing that is wrong with the data is thrown; it is listed. A broken part does not hide the others.
 *
 * @throws UsageError for a name or options that are no such
 */
export async function checkDataset(spec: string, options: OpenOptions = {}): Promise<DataReport> {
  const report: DataReport = { spec, isFine: true, parts: [], problems: [], notes: [] };
  // Sizes are looked at one by one here: a common size is not asked for.
  const source = await attempt(report, () =>
    openSource(spec, {
      ...options,
      imageSize: options.imageSize ?? [32, 32],
      decodeAt: 'read',
    }),
  );
  let first: ImageDataset | undefined;
  for (const part of PARTS) {
    if (options.split !== undefined && options.split !== part) continue;
    const dataset = await attempt(report, async () => source?.open(part));
    if (dataset === undefined) continue;
    await checkPart(report, part, dataset);
    first ??= dataset;
    await attempt(report, async () => checkSameShape(first!, dataset));
    await dataset.close();
  }
  report.notes.push(...(source?.notes ?? []));
  const hasTraining = report.parts.some(({ part }) => part === 'train');
  if (!hasTraining && report.problems.length === 0 && options.split === undefined) {
    report.notes.push(`${spec}: has no training part: it is for evaluation alone`);
  }
  await notePublished(report, spec);
  report.problems = [...new Set(report.problems)];
  report.isFine = report.problems.length === 0;
  return report;
}

/** The result, or undefined and the reason among the problems. Wrong options are thrown on. */
async function attempt<T>(
  report: Pick<DataReport, 'problems'>,
  work: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof TilegradError) || error.exitCode === 2) throw error;
    report.problems.push(error.message);
    return undefined;
  }
}

async function checkPart(report: DataReport, part: Part, dataset: ImageDataset): Promise<void> {
  const classes = dataset.classNames.map((name) => ({ name, count: 0 }));
  for (const label of dataset.labels) classes[label].count++;
  const empty = emptyClassesNote(dataset);
  // Other parts may be missing.
  (part === 'train' ? report.problems : report.notes).push(...empty);
  const [height, width] = dataset.imageShape;
  const sizes =
    dataset instanceof FolderDataset
      ? await checkFiles(report, dataset)
      : ([[height, width]] as [number, number][]);
  const byArea = sizes.sort((a, b) => a[0] * a[1] - b[0] * b[1]);
  if (byArea.length === 0) return;
  const [smallest, largest] = [byArea[0], byArea[byArea.length - 1]];
  const { name, size: count, groups: groupOf } = dataset;
  const groups = groupOf && new Set(groupOf).size;
  report.parts.push({ part, name, count, smallest, largest, classes, groups });
  if (sizes.some((size) => size[0] !== smallest[0] || size[1] !== smallest[1])) {
    report.notes.push(
      `${dataset.name}: images from ${smallest.join('×')} to ${largest.join('×')}` +
        ' (height × width): training needs an image size to scale them to',
    );
  }
}

/** Decodes every file; returns the sizes of those that are whole. */
async function checkFiles(report: DataReport, dataset: FolderDataset): Promise<[number, number][]> {
  // By file, so that the order of the report is not that in which the lanes get done.
  const sizes: ([number, number] | undefined)[] = [];
  const found: Pick<DataReport, 'problems'>[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < dataset.size) {
      const index = next++;
      const file = dataset.describe(index);
      found[index] = { problems: [] };
      sizes[index] = await attempt(found[index], async () => {
        const size = await probeImage(file);
        await decodeImage(file, size, 3);
        return size;
      });
    }
  };
  await Promise.all([lane(), lane(), lane(), lane()]);
  report.problems.push(...found.flatMap(({ problems }) => problems));
  return sizes.filter((size) => size !== undefined);
}

/** Says of files named like MNIST's whether they are. */
async function notePublished(report: DataReport, folder: string): Promise<void> {
  const verdicts: boolean[] = [];
  for (const published of MNIST_FILES) {
    for (const name of [published.name, published.name.replace(/\.gz$/, '')]) {
      const path = join(folder, name);
      const isThere = await stat(path).then(
        () => true,
        () => false,
      );
      // A damaged file is among the problems already.
      if (isThere) verdicts.push(await holdsPublished(path, published).catch(() => false));
    }
  }
  if (verdicts.length === 0) return;
  const right = verdicts.filter(Boolean).length;
  report.notes.push(
    right === verdicts.length
      ? `${folder}: ${right} files hold the same bytes as the published MNIST`
      : `${folder}: ${verdicts.length - right} of ${verdicts.length} files named like MNIST's hold` +
          ' something else (a relative of MNIST, or damage)',
  );
}
