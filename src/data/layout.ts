/** Ways in which a place holds data, and how several of them in one place make one data set. */
import { DataError } from '../gpu/errors.js';
import { derived, type ImageDataset } from './dataset.js';
import type { SkippedImage } from './open_images.js';
import { listed, PART_WORDS, PARTS, type Part } from './parts.js';
import { reshaped } from './resize.js';
import { SIGNS } from './sign_shapes.js';

/** What a part must go with that lies in another layout than the training part. */
export type Beside = Pick<ImageDataset, 'classNames' | 'imageShape'>;

/** One way of keeping data (idx files, class folders, …) that a place holds. */
export interface Layout {
  /** Where each part lies, for people. */
  readonly parts: Readonly<Partial<Record<Part, string>>>;
  /** Opens a part; undefined where there is none. */
  open(part: Part, beside?: Beside): Promise<ImageDataset | undefined>;
  readonly notes: readonly string[];
  /** Image files that were left out, with the reason; complete when the parts are open. */
  readonly skipped?: readonly SkippedImage[];
}

/** A place data come from. Opening a part gives undefined where there is none. */
export interface Source {
  open(part: Part): Promise<ImageDataset | undefined>;
  /** Complete when the parts are open. */
  readonly notes: readonly string[];
  readonly skipped: readonly SkippedImage[];
}

/**
 * The data set that the layouts of a place make: the parts of the one with the training part (the first
 * such), and from the others those that it lacks. What is not taken is named in the notes.
 *
 * @param wanted the part that is asked for alone: it must open, where any other is left out with a note
 */
export function joinLayouts(layouts: readonly Layout[], wanted?: Part): Source {
  const home = layouts.find(({ parts }) => parts.train !== undefined) ?? layouts[0];
  const layoutOf = (part: Part): Layout =>
    home.parts[part] === undefined
      ? (layouts.find(({ parts }) => parts[part] !== undefined) ?? home)
      : home;
  const notes = unusedNotes(layouts, layoutOf);
  let train: Promise<ImageDataset | undefined> | undefined;
  const openTrain = () => (train ??= home.open('train'));
  const open = async (part: Part): Promise<ImageDataset | undefined> => {
    const layout = layoutOf(part);
    if (layout === home) return part === 'train' ? openTrain() : home.open(part);
    const beside = home.parts.train === undefined ? undefined : await openTrain();
    try {
      const dataset = await layout.open(part, beside);
      return dataset && beside ? fitted(dataset, beside) : dataset;
    } catch (error) {
      if (!(error instanceof DataError) || part === wanted) throw error;
      const [reason] = error.message.split('\nfix: ');
      const where = layout.parts[part]!;
      const why = reason.startsWith(where) ? reason : `${where}: ${reason}`;
      notes.push(`left out as the ${PART_WORDS[part]} part: ${why}`);
      return undefined;
    }
  };
  return {
    open,
    get notes() {
      return [...layouts.flatMap((layout) => layout.notes), ...notes];
    },
    get skipped() {
      return layouts.flatMap((layout) => layout.skipped ?? []);
    },
  };
}

function unusedNotes(layouts: readonly Layout[], layoutOf: (part: Part) => Layout): string[] {
  const notes: string[] = [];
  for (const part of PARTS) {
    const used = layoutOf(part);
    for (const layout of layouts) {
      if (layout === used || layout.parts[part] === undefined) continue;
      notes.push(unusedNote(layout.parts[part], part, used.parts[part]!));
    }
  }
  return notes;
}

/** That there are two of a part, and which one counts. */
export function unusedNote(place: string, part: Part, taken: string): string {
  return `${place}: not used: the ${PART_WORDS[part]} part is ${taken}`;
}

/** The data set with the image shape and the class names of the training part. */
function fitted(dataset: ImageDataset, { classNames, imageShape }: Beside): ImageDataset {
  const [height, width, channels] = imageShape;
  const form = { imageSize: [height, width], channels: channels as 1 | 3 } as const;
  const { classNames: names } = dataset;
  const isSame =
    names.length === classNames.length && names.every((name, k) => name === classNames[k]);
  if (isSame) return reshaped(dataset, form);
  const numbers = classNumbers(classNames);
  const isNumbered = names.every((name, k) => name === String(k));
  if (!isNumbered || numbers === undefined) {
    throw new DataError(
      `its classes are ${listed(names)}, those of the training part ${listed(classNames)}`,
    );
  }
  const labels = dataset.labels.map((label) => labelOf(label, numbers));
  return reshaped(derived(dataset, { classNames, labels }), form);
}

function labelOf(number: number, numbers: ReadonlyMap<number, number>): number {
  const label = numbers.get(number);
  if (label !== undefined) return label;
  throw new DataError(
    `class ${number} is none of the ${numbers.size} classes of the training part`,
  );
}

/**
 * Which class each number stands for, where the classes are numbers or the signs of GTSRB; undefined
 * where they have names of their own.
 */
export function classNumbers(classNames: readonly string[]): Map<number, number> | undefined {
  const numbers = new Map<number, number>();
  for (const [label, name] of classNames.entries()) {
    const number = /^\d+$/.test(name)
      ? Number(name)
      : SIGNS.findIndex((sign) => sign.name === name);
    if (number === -1) return undefined;
    numbers.set(number, label);
  }
  return numbers;
}
