/** How a folder or file holds data. */
import type { ImageDataset } from './dataset.js';
import type { SkippedImage } from './open/open_images.js';
import { PART_WORDS, type Part } from './parts.js';

/** What a part must go with that lies in another layout than the training part. */
export type Beside = Pick<ImageDataset, 'classNames' | 'imageShape'>;

/** One way of keeping data (idx files, class folders, …) that a place holds. */
export interface Layout {
  /** Where each part lies, for people. */
  readonly parts: Readonly<Partial<Record<Part, string>>>;
  /** Opens a part; undefined if there is none. */
  open(part: Part, beside?: Beside): Promise<ImageDataset | undefined>;
  readonly notes: readonly string[];
  /** Image files that were left out, with the reason; complete when the parts are open. */
  readonly skipped?: readonly SkippedImage[];
}

/** A source of data. Opening a part gives undefined if there is none. */
export interface Source {
  open(part: Part): Promise<ImageDataset | undefined>;
  /** Complete when the parts are open. */
  readonly notes: readonly string[];
  readonly skipped: readonly SkippedImage[];
}

/** That there are two of a part, and which one counts. */
export function unusedNote(place: string, part: Part, taken: string): string {
  return `${place}: not used: the ${PART_WORDS[part]} part is ${taken}`;
}
