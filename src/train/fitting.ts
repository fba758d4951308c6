import type { Settings } from './settings.js';

/* What is chosen by looking at the pictures, where nobody has said it. */

/** What the choices go by. */
export interface PictureFacts {
  /** Images to train on, those to be held out among them. */
  images: number;
  classNames: readonly string[];
  /** Images to validate on; null: some of the others have to be held out for it. */
  heldOut: number | null;
}

/** Edges that networks for small pictures are made for. */
const EDGES = [32, 64, 96];
/** Images that a network sees in all its epochs, each one as often as there are epochs. */
const IMAGES_SEEN = 30_000;
const EPOCHS = { least: 20, most: 120 } as const;
const BATCH = { least: 8, most: 64, perEpoch: 12 } as const;
const VALIDATION_SHARE = { least: 0.1, most: 0.34 } as const;
/** Of so many images the accuracy is known to about 10 points. */
const FEW_VALIDATED = 100;
const AUGMENT = 'shift=0.2,rotation=20,zoom=0.4,brightness=0.4';

/** Settings that may be chosen so. */
export const fittedKeys: ReadonlySet<keyof Settings> = new Set([
  ...(['input', 'epochs', 'batchSize', 'warmup', 'earlyStopping', 'checkpoint'] as const),
  ...(['augment', 'validationShare'] as const),
]);

type Size = readonly [height: number, width: number];

/** The square that most pictures fill: the largest edge that is not above the middle one of theirs. */
export function fittingInput(sizes: readonly Size[]): Size {
  const edges = sizes.map((size) => Math.min(...size)).sort((a, b) => a - b);
  const middle = edges[Math.floor(edges.length / 2)];
  const edge = EDGES.filter((each) => each <= middle).at(-1) ?? EDGES[0];
  return [edge, edge];
}

/** Settings that suit the amount of data. */
export function fittingSettings({
  images,
  classNames,
  heldOut,
}: PictureFacts): Partial<Omit<Settings, 'data'>> {
  const epochs = within(Math.round(IMAGES_SEEN / images), EPOCHS);
  const share = within(classNames.length / images, VALIDATION_SHARE);
  const validated = heldOut ?? share * images;
  return {
    ...{ epochs, warmup: Math.ceil(epochs / 30) },
    // Few images are too noisy to choose among epochs by; with a cosine the last is as good as any.
    ...(validated < FEW_VALIDATED
      ? { earlyStopping: null, checkpoint: 'last' }
      : { earlyStopping: Math.ceil(epochs / 2), checkpoint: 'best' }),
    batchSize: within(2 ** Math.floor(Math.log2(images / BATCH.perEpoch)), BATCH),
    augment: hasHandedness(classNames) ? AUGMENT : `flip,${AUGMENT}`,
    ...(heldOut === null ? { validationShare: Math.round(share * 100) / 100 } : {}),
  };
}

function within(value: number, { least, most }: { least: number; most: number }): number {
  return Math.min(most, Math.max(least, value));
}

/** Whether the mirror image of a picture may be of another class, or of none: left turns, letters. */
export function hasHandedness(classNames: readonly string[]): boolean {
  const isCharacter = (name: string): boolean => /^(\d+|.)$/u.test(name);
  return (
    classNames.every(isCharacter) ||
    classNames.some((name) => /(^|[^a-z])(left|right)([^a-z]|$)/i.test(name))
  );
}

/** Says in a line each what was chosen, and how to choose otherwise. */
export function fittingNotes(
  chosen: Partial<Settings>,
  sizes: readonly Size[],
  { images }: PictureFacts,
): string[] {
  const { input, epochs, batchSize, earlyStopping, checkpoint, augment } = chosen;
  const notes: string[] = [];
  if (input) {
    notes.push(`pictures of ${sizeText(sizes)} are brought to ${input[0]}×${input[1]} (--input)`);
  }
  const parts = [
    ...(epochs === undefined ? [] : [`--epochs ${epochs}`]),
    ...(batchSize === undefined ? [] : [`--batch-size ${batchSize}`]),
    ...(earlyStopping === undefined || earlyStopping === null
      ? []
      : [`--early-stopping ${earlyStopping}`]),
    ...(checkpoint === undefined ? [] : [`--checkpoint ${checkpoint}`]),
    ...(augment === undefined ? [] : [`--augment ${augment}`]),
  ];
  if (parts.length > 0) notes.push(`chosen for ${images} images: ${parts.join(' ')}`);
  return notes;
}

function sizeText(sizes: readonly Size[]): string {
  const sorted = [...sizes].sort((a, b) => a[0] * a[1] - b[0] * b[1]);
  const texts = new Set([sorted[0], sorted.at(-1)!].map((size) => size.join('×')));
  return [...texts].join(' to ');
}
