/**
 * Images and labels in NumPy arrays: X.npy and Y.npy, x_train.npy and so on, or one .npz that holds
 * them.
 */
import { basename, join } from 'node:path';
import { DataError } from '../../errors.js';
import { npzMembers, parseNpy, parseNpyStrings, type NpyArray } from '../../io/npy.js';
import { readBytes } from '../../io/read_bytes.js';
import { MemoryDataset, numberedClasses } from '../dataset.js';
import type { Layout } from '../layout.js';
import { listed, PARTS, type Part } from '../parts.js';

/** Words that name a part in the names of its arrays. */
const WORDS: Readonly<Record<Part, readonly string[]>> = {
  train: ['train', 'training'],
  validation: ['val', 'valid', 'validation', 'dev'],
  test: ['test', 'testing'],
};

/** Arrays of class names. */
const CLASS_NAMES = ['class_names', 'classnames', 'classes', 'label_names', 'target_names'];

/** Names of images and of labels in a part, in lower case. */
function pairNames(part: Part): [images: string, labels: string][] {
  const pairs = WORDS[part].flatMap((word): [string, string][] => [
    [`x_${word}`, `y_${word}`],
    [`${word}_x`, `${word}_y`],
    [`${word}_images`, `${word}_labels`],
    [`images_${word}`, `labels_${word}`],
  ]);
  if (part === 'train') pairs.push(['x', 'y'], ['images', 'labels']);
  return pairs;
}

/** Whether a file name ends like that of arrays. */
export function hasArrays(name: string): boolean {
  return /\.np[yz]$/i.test(name);
}

/** The images and labels of each part, not read yet. */
interface FoundArrays {
  place: string;
  arrays: ReadonlyMap<string, NamedArray>;
  pairs: Partial<Record<Part, [images: string, labels: string]>>;
}

interface OpenedArrays {
  parts: Partial<Record<Part, MemoryDataset>>;
  /** Arrays that were not read. */
  notes: string[];
}

/**
 * The arrays of an .npz file, or those of a folder, as a layout. All parts are read together.
 *
 * Images are [N, H, W] or [N, H, W, C] with 1 or 3 channels. Floats that are nowhere above 1, in any part,
 * stand for brightness and are scaled to 0..255, and so are booleans; larger floats and integers must
 * lie in 0..255 and are rounded. Labels are whole numbers, [N] or [N, 1], or one-hot, [N, K]. An array
 * of strings `class_names` names the classes. Arrays of other names are left alone, with a note.
 *
 * @param names the array files of a folder; of an .npz file none
 * @throws DataError, when a part is opened, for arrays that are missing, damaged, or do not fit each other
 */
export function arraysLayout(
  place: string,
  names: readonly string[],
  { classCount }: { classCount?: number },
): Layout {
  const found = findArrays(place, names);
  const parts: Partial<Record<Part, string>> = {};
  for (const part of PARTS) {
    const pair = found.pairs[part];
    if (pair) parts[part] = found.arrays.get(pair[0])!.where;
  }
  const notes: string[] = [];
  let opened: OpenedArrays | undefined;
  return {
    ...{ parts, notes },
    open: async (part, beside) => {
      if (opened === undefined) {
        opened = openArrays(found, beside?.classNames.length ?? classCount);
        notes.push(...opened.notes);
      }
      return opened.parts[part];
    },
  };
}

function findArrays(place: string, names: readonly string[]): FoundArrays {
  const arrays = arraysIn(place, names);
  const pairs: FoundArrays['pairs'] = {};
  for (const part of PARTS) pairs[part] = pairNames(part).find(([images]) => arrays.has(images));
  return { place, arrays, pairs };
}

function openArrays({ place, arrays, pairs }: FoundArrays, classCount?: number): OpenedArrays {
  const used = new Set<string>();
  const read: Partial<Record<Part, ArrayPair>> = {};
  for (const part of PARTS) {
    const pair = pairs[part];
    if (pair === undefined) continue;
    const labels = arrays.get(pair[1]);
    if (labels === undefined) {
      throw new DataError(
        `${place}: images '${pair[0]}', but no labels '${pair[1]}' (there are` +
          ` ${[...arrays.keys()].join(', ')})`,
      );
    }
    for (const name of pair) used.add(name);
    read[part] = readPair(arrays.get(pair[0])!, labels);
  }
  const all = Object.values(read);
  if (all.length === 0) {
    throw new DataError(
      `${place}: expected arrays named X and Y, or x_train and y_train, got` +
        ` ${[...arrays.keys()].join(', ') || 'none'}`,
      'rename them',
    );
  }
  const notes: string[] = [];
  const least = Math.max(2, ...all.map((pair) => pair.classCount));
  const classNames =
    namedClasses(arrays, least, used, notes) ?? numberedClasses(classCount ?? least);
  const unread = [...arrays.keys()].filter((name) => !used.has(name));
  if (unread.length > 0) notes.push(`${place}: arrays that are not read: ${listed(unread)}`);
  const scale = floatScale(all);
  const parts = Object.fromEntries(
    Object.entries(read).map(([part, { imageShape, images, range, labels, where }]) => [
      part,
      new MemoryDataset({
        ...{ name: `${basename(place)} ${part}`, imageShape, classNames, labels },
        images: toBytes(images, range, scale, where),
      }),
    ]),
  );
  return { parts, notes };
}

interface NamedArray {
  where: string;
  bytes: () => Uint8Array;
}

/** The arrays by their names in lower case; they are read only when they are wanted. */
function arraysIn(place: string, names: readonly string[]): Map<string, NamedArray> {
  const arrays = new Map<string, NamedArray>();
  const addArchive = (file: string): void => {
    for (const [name, bytes] of npzMembers(file)) {
      arrays.set(name.toLowerCase(), { where: `${file}:${name}`, bytes });
    }
  };
  if (names.length === 0) addArchive(place);
  for (const name of names) {
    const file = join(place, name);
    if (/z$/i.test(name)) addArchive(file);
    else arrays.set(name.slice(0, -4).toLowerCase(), { where: file, bytes: () => readBytes(file) });
  }
  return arrays;
}

/** The names of the classes, where an array has one for each. */
function namedClasses(
  arrays: ReadonlyMap<string, NamedArray>,
  count: number,
  used: Set<string>,
  notes: string[],
): string[] | undefined {
  const name = CLASS_NAMES.find((candidate) => arrays.has(candidate));
  if (name === undefined) return undefined;
  const { where, bytes } = arrays.get(name)!;
  let names: string[] | undefined;
  try {
    names = parseNpyStrings(bytes(), where);
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
  }
  if (names === undefined) return undefined;
  used.add(name);
  if (names.length >= count && new Set(names).size === names.length) return names;
  notes.push(
    `${where}: not used: expected a name of its own for each of ${count} classes, got ${listed(names)}`,
  );
  return undefined;
}

interface ArrayPair {
  imageShape: [number, number, number];
  images: NpyArray;
  /** The least and the largest pixel; of bytes it is not looked for. */
  range: [number, number];
  labels: Int32Array;
  classCount: number;
  where: string;
}

function readPair(images: NamedArray, labels: NamedArray): ArrayPair {
  const { where } = images;
  const array = parseNpy(images.bytes(), where);
  const { shape } = array;
  const [count, height, width, channels = 1] = shape;
  if (shape.length < 3 || shape.length > 4 || ![1, 3].includes(channels) || shape.includes(0)) {
    const isPlanar = shape.length === 4 && [1, 3].includes(shape[1]);
    throw new DataError(
      `${where}: expected images [N, H, W] or [N, H, W, C] with 1 or 3 channels, got` +
        ` [${shape.join(', ')}]`,
      isPlanar ? 'put the channels last: np.transpose(x, (0, 2, 3, 1))' : undefined,
    );
  }
  const { classes, classCount } = readLabels(labels);
  if (classes.length !== count) {
    throw new DataError(
      `${where}: ${count} images, but ${classes.length} labels in ${labels.where}`,
    );
  }
  const range = rangeOf(array.values);
  return {
    ...{ imageShape: [height, width, channels], images: array, range },
    ...{ labels: classes, classCount, where },
  };
}

function rangeOf(values: NpyArray['values']): [number, number] {
  if (values instanceof Uint8Array) return [0, 255];
  let [least, most] = [Infinity, -Infinity];
  for (const element of values) {
    const value = Number(element);
    // Once NaN they stay so: nothing is smaller or larger.
    if (Number.isNaN(value)) [least, most] = [NaN, NaN];
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return [least, most];
}

function isFloat({ dtype }: NpyArray): boolean {
  return dtype === 'float32' || dtype === 'float64';
}

/** What floats of all parts are multiplied by: a dark part alone must not become brighter than others. */
function floatScale(pairs: readonly ArrayPair[]): number {
  const floats = pairs.filter(({ images }) => isFloat(images));
  return floats.every(({ range: [, most] }) => most <= 1) ? 255 : 1;
}

function toBytes(
  array: NpyArray,
  [least, most]: [number, number],
  floatsBy: number,
  where: string,
): Uint8Array {
  const { values, isBoolean = false } = array;
  if (values instanceof Uint8Array) {
    return isBoolean ? values.map((value) => (value === 0 ? 0 : 255)) : values;
  }
  if (!(least >= 0 && most <= 255)) {
    throw new DataError(
      `${where}: expected pixels from 0 to 1 (floats) or 0 to 255, got ${least} to ${most}`,
      'save the images before they are normalised',
    );
  }
  const scale = isFloat(array) ? floatsBy : 1;
  const bytes = new Uint8Array(values.length);
  for (let i = 0; i < values.length; i++) bytes[i] = Math.round(Number(values[i]) * scale);
  return bytes;
}

function readLabels({ where, bytes }: NamedArray): { classes: Int32Array; classCount: number } {
  const { shape, values } = parseNpy(bytes(), where);
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
