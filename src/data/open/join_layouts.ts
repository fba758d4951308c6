/** How several ways of keeping data in one place make one data set. */
import { DataError } from '../../errors.js';
import { derived, type ImageDataset } from '../dataset.js';
import { classNumbers } from '../formats/gtsrb.js';
import { unusedNote, type Beside, type Layout, type Source } from '../layout.js';
import { listed, PART_WORDS, PARTS, type Part } from '../parts.js';
import { inForm } from '../decode/resize.js';

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

/** The data set with the image shape and the class names of the training part. */
function fitted(dataset: ImageDataset, { classNames, imageShape }: Beside): ImageDataset {
  const [height, width, channels] = imageShape;
  const form = { imageSize: [height, width], channels: channels as 1 | 3 } as const;
  const { classNames: names } = dataset;
  const isSame =
    names.length === classNames.length && names.every((name, k) => name === classNames[k]);
  if (isSame) return inForm(dataset, form);
  const numbers = classNumbers(classNames);
  const isNumbered = names.every((name, k) => name === String(k));
  if (!isNumbered || numbers === undefined) {
    throw new DataError(
      `its classes are ${listed(names)}, those of the training part ${listed(classNames)}`,
    );
  }
  const labels = dataset.labels.map((label) => labelOf(label, numbers));
  return inForm(derived(dataset, { classNames, labels }), form);
}

function labelOf(number: number, numbers: ReadonlyMap<number, number>): number {
  const label = numbers.get(number);
  if (label !== undefined) return label;
  throw new DataError(
    `class ${number} is none of the ${numbers.size} classes of the training part`,
  );
}
