/**
 * Images and labels in NumPy arrays: X.npy and Y.npy, x_train.npy and so on, or one .npz that holds
 * them.
 */
import { basename, join } from 'node:path';
import { DataError } from '../gpu/errors.js';
import { readNpy, readNpz, type NpyArray } from '../io/npy.js';
import { MemoryDataset, numberedClasses } from './dataset.js';

/** Names of images and of labels in each part, in lower case; the first that is there counts. */
const NAMES = {
  train: [
    ['x_train', 'y_train'],
    ['train_images', 'train_labels'],
    ['x', 'y'],
    ['images', 'labels'],
  ],
  test: [
    ['x_test', 'y_test'],
    ['test_images', 'test_labels'],
    ['x_val', 'y_val'],
  ],
} as const;
type ArrayPart = keyof typeof NAMES;

/** Whether a file name ends like that of arrays. */
export function hasArrays(name: string): boolean {
  return /\.np[yz]$/i.test(name);
}

/**
 * Opens the arrays of an .npz file, or those of a folder.
 *
 * Images are [N, H, W] or [N, H, W, C] with 1 or 3 channels. Floats up to 1 stand for brightness and are
 * scaled to 0..255, larger ones and integers must lie in 0..255 and are rounded. Labels are whole
 * numbers, [N] or [N, 1], or one-hot, [N, K].
 *
 * @param names the array files of a folder; of an .npz file none
 * @throws DataError for arrays that are missing, damaged, or do not fit each other
 */
export function openArrays(
  place: string,
  names: readonly string[],
  classCount?: number,
): Partial<Record<ArrayPart, MemoryDataset>> {
  const arrays = arraysIn(place, names);
  const found: Partial<Record<ArrayPart, ArrayPair>> = {};
  for (const part of ['train', 'test'] as const) {
    const pair = NAMES[part].find(([images]) => arrays.has(images));
    if (pair === undefined) continue;
    const labels = arrays.get(pair[1]);
    if (labels === undefined) {
      throw new DataError(
        `${place}: images '${pair[0]}', but no labels '${pair[1]}' (there are` +
          ` ${[...arrays.keys()].join(', ')})`,
      );
    }
    found[part] = readPair(arrays.get(pair[0])!, labels);
  }
  if (found.train === undefined && found.test === undefined) {
    throw new DataError(
      `${place}: expected arrays named X and Y, or x_train and y_train, got` +
        ` ${[...arrays.keys()].join(', ') || 'none'}`,
      'rename them',
    );
  }
  const count = classCount ?? Math.max(2, ...Object.values(found).map((pair) => pair.classCount));
  const open = (pair: ArrayPair | undefined, part: string): MemoryDataset | undefined =>
    pair &&
    new MemoryDataset({
      name: `${basename(place)} ${part}`,
      imageShape: pair.imageShape,
      classNames: numberedClasses(count),
      labels: pair.labels,
      images: pair.images,
    });
  return { train: open(found.train, 'train'), test: open(found.test, 'test') };
}

interface NamedArray {
  where: string;
  read: () => NpyArray;
}

/** The arrays by their names in lower case; they are read only when they are wanted. */
function arraysIn(place: string, names: readonly string[]): Map<string, NamedArray> {
  const arrays = new Map<string, NamedArray>();
  const addArchive = (file: string): void => {
    for (const [name, read] of readNpz(file)) {
      arrays.set(name.toLowerCase(), { where: `${file}:${name}`, read });
    }
  };
  if (names.length === 0) addArchive(place);
  for (const name of names) {
    const file = join(place, name);
    if (/z$/i.test(name)) addArchive(file);
    else arrays.set(name.slice(0, -4).toLowerCase(), { where: file, read: () => readNpy(file) });
  }
  return arrays;
}

interface ArrayPair {
  imageShape: [number, number, number];
  images: Uint8Array;
  labels: Int32Array;
  classCount: number;
}

function readPair(images: NamedArray, labels: NamedArray): ArrayPair {
  const { shape, values } = images.read();
  const [count, height, width, channels = 1] = shape;
  if (shape.length < 3 || shape.length > 4 || ![1, 3].includes(channels) || shape.includes(0)) {
    const isPlanar = shape.length === 4 && [1, 3].includes(shape[1]);
    throw new DataError(
      `${images.where}: expected images [N, H, W] or [N, H, W, C] with 1 or 3 channels, got` +
        ` [${shape.join(', ')}]`,
      isPlanar ? 'put the channels last: np.transpose(x, (0, 2, 3, 1))' : undefined,
    );
  }
  const { classes, classCount } = readLabels(labels);
  if (classes.length !== count) {
    throw new DataError(
      `${images.where}: ${count} images, but ${classes.length} labels in ${labels.where}`,
    );
  }
  return {
    imageShape: [height, width, channels],
    images: toBytes(values, images.where),
    labels: classes,
    classCount,
  };
}

function toBytes(values: NpyArray['values'], where: string): Uint8Array {
  if (values instanceof Uint8Array) return values;
  const isFloat = values instanceof Float32Array || values instanceof Float64Array;
  let [least, most] = [Infinity, -Infinity];
  for (const element of values) {
    const value = Number(element);
    // Once NaN they stay so: nothing is smaller or larger.
    if (Number.isNaN(value)) [least, most] = [NaN, NaN];
    if (value < least) least = value;
    if (value > most) most = value;
  }
  if (!(least >= 0 && most <= 255)) {
    throw new DataError(
      `${where}: expected pixels from 0 to 1 (floats) or 0 to 255, got ${least} to ${most}`,
      'save the images before they are normalised',
    );
  }
  const scale = isFloat && most <= 1 ? 255 : 1;
  const bytes = new Uint8Array(values.length);
  for (let i = 0; i < values.length; i++) bytes[i] = Math.round(Number(values[i]) * scale);
  return bytes;
}

function readLabels({ where, read }: NamedArray): { classes: Int32Array; classCount: number } {
  const { shape, values } = read();
  const [count, width = 1] = shape;
  if (shape.length < 1 || shape.length > 2 || shape.includes(0)) {
    throw new DataError(
      `${where}: expected labels [N], [N, 1] or one-hot [N, K], got [${shape.join(', ')}]`,
    );
  }
  const classes = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    const row = Array.from({ length: width }, (_, k) => Number(values[i * width + k]));
    const isOneHot = width > 1 && row.every((value) => value === 0 || value === 1);
    const label = width === 1 ? row[0] : row.indexOf(1);
    if (width > 1 ? !isOneHot || row.lastIndexOf(1) !== label || label < 0 : !isClass(label)) {
      throw new DataError(
        `${where}: label ${i} must be ` +
          (width > 1 ? `one-hot: one 1 among ${width - 1} zeros` : 'a whole number ≥ 0') +
          `, got ${row.slice(0, 8).join(', ')}`,
      );
    }
    classes[i] = label;
  }
  let largest = 0;
  for (const label of classes) largest = Math.max(largest, label);
  return { classes, classCount: width > 1 ? width : largest + 1 };
}

function isClass(label: number): boolean {
  return Number.isInteger(label) && label >= 0 && label < 65_536;
}
