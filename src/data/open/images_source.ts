/** Folders of images: which part of a data set lies where in them, and how a part is opened. */
import { basename, join } from 'node:path';
import { DataError, UsageError } from '../../errors.js';
import type { ImageDataset } from '../dataset.js';
import {
  listFolder,
  listNamedImages,
  looseImages,
  namedClass,
  PART_FOLDERS,
  subfolders,
  type FolderListing,
} from '../formats/folder.js';
import { FolderDataset } from '../decode/folder_dataset.js';
import { cropListing, findSigns, listSignTable, type SignTable } from '../formats/gtsrb.js';
import { chooseSize, openImages, sampleSizes, type SkippedImage } from './open_images.js';
import { unusedNote, type Beside, type Layout } from '../layout.js';
import { PARTS, type Part } from '../parts.js';
import { SIGNS } from '../builtin/sign_shapes.js';
import type { OpenOptions } from './sources.js';

/** Where the images of a part lie, and in which way. */
type Place =
  | { kind: 'classes'; folder: string; others: readonly string[] }
  /** Images in one folder, each named after its class. */
  | { kind: 'named'; folder: string }
  | { kind: 'table'; table: SignTable };

export interface Places {
  folder: string;
  parts: Partial<Record<Part, Place>>;
  /** The folders are named like parts of a data set: nothing else can be meant. */
  isCertain: boolean;
  /** Files beside the folders that belong to them. */
  tables: string[];
  notes: string[];
}

/** Folders of class folders that archives of their own name hold. */
const TRAIN_ARCHIVES = ['simpsons_dataset'];

/**
 * Finds the parts of a data set of images: GTSRB as published; class folders below DIR/train, DIR/val
 * and DIR/test; a folder of test images named after their classes beside class folders; or class folders
 * in DIR itself, which are the training part. Where there are two of a part, a note names the other.
 */
export async function findPlaces(folder: string): Promise<Places> {
  const inner = await innerFolder(folder);
  if (inner === undefined) return placesIn(folder);
  const places = await placesIn(inner);
  return {
    ...places,
    notes: [`${folder}: holds one folder, ${inner}: looked into that`, ...places.notes],
  };
}

/** The folder with more than one folder in it that a zip has wrapped in others; a part of data is none. */
async function innerFolder(folder: string): Promise<string | undefined> {
  let inner: string | undefined;
  // An archive has few layers; links may go round in a circle.
  for (let depth = 0; depth < 4; depth++) {
    const outer = inner ?? folder;
    const names = await subfolders(outer);
    if (names.length !== 1 || isPartName(names[0]) || (await looseImages(outer)).length > 0) break;
    if ((await findSigns(outer)) !== undefined) break;
    const next = join(outer, names[0]);
    if ((await subfolders(next)).length === 0) break;
    inner = next;
  }
  return inner;
}

function isPartName(name: string): boolean {
  const known: readonly string[] = Object.values(PART_FOLDERS).flat();
  return known.includes(name.toLowerCase()) || TRAIN_ARCHIVES.includes(name);
}

async function placesIn(folder: string): Promise<Places> {
  const signs = await findSigns(folder);
  const names = (await subfolders(folder)).filter((name) => !signs?.names.includes(name));
  const places: Places = {
    ...{ folder, parts: {}, isCertain: true },
    ...{ tables: signs?.names ?? [], notes: [...(signs?.notes ?? [])] },
  };
  if (signs?.train) offer(places, 'train', classes(signs.train));
  if (signs?.test) offer(places, 'test', { kind: 'table', table: signs.test });
  const named = await partFolders(folder, names, signs !== undefined);
  if (!signs && named.train.length === 0 && !isAllOf(names, named)) {
    return { ...places, ...(await classFolders(folder, names, places.notes)) };
  }
  for (const name of named.train) {
    offer(places, 'train', classes(await unwrapped(join(folder, name))));
  }
  for (const part of ['validation', 'test'] as const) {
    for (const name of named[part]) offer(places, part, await placeOf(join(folder, name)));
  }
  const { train } = places.parts;
  if (train?.kind === 'classes' && !signs) {
    const loose = await findNamedTest(folder, names, await subfolders(train.folder));
    if (loose) offer(places, 'test', { kind: 'named', folder: loose.folder });
  }
  return places;
}

/** Takes a place for a part, or notes that the part has one already. */
function offer({ parts, notes }: Places, part: Part, place: Place): void {
  const taken = parts[part];
  if (taken === undefined) parts[part] = place;
  else if (whereOf(taken) !== whereOf(place)) {
    notes.push(unusedNote(whereOf(place), part, whereOf(taken)));
  }
}

function whereOf(place: Place): string {
  return place.kind === 'table' ? place.table.file : place.folder;
}

type PartNames = Record<Part, string[]>;

/** Folders that are named like parts; any part may be missing. */
async function partFolders(
  folder: string,
  names: readonly string[],
  isCertain: boolean,
): Promise<PartNames> {
  const named = (part: Part): string[] =>
    names.filter((name) => PART_FOLDERS[part].some((known) => known === name.toLowerCase()));
  const train: string[] = [];
  for (const name of named('train')) {
    // A class may have such a name too: CIFAR-100 has pictures of trains.
    if (isCertain || !(await holdsOnlyImages(join(folder, name)))) train.push(name);
  }
  train.push(...names.filter((name) => TRAIN_ARCHIVES.includes(name)));
  return { train, validation: named('validation'), test: named('test') };
}

function isAllOf(names: readonly string[], { validation, test }: PartNames): boolean {
  return names.length > 0 && names.every((name) => [...validation, ...test].includes(name));
}

/** Class folders in the folder itself, perhaps with a test or validation part of class folders beside them. */
async function classFolders(
  folder: string,
  names: readonly string[],
  notes: readonly string[],
): Promise<Pick<Places, 'parts' | 'isCertain' | 'notes'>> {
  const places: Places = { folder, parts: {}, isCertain: false, tables: [], notes: [...notes] };
  const beside: string[] = [];
  for (const part of ['validation', 'test'] as const) {
    for (const name of (await partFolders(folder, names, false))[part]) {
      if ((await subfolders(join(folder, name))).length === 0) continue;
      beside.push(name);
      offer(places, part, classes(join(folder, name)));
    }
  }
  const loose = await findNamedTest(folder, names, names);
  if (loose) {
    beside.push(loose.name);
    offer(places, 'test', { kind: 'named', folder: loose.folder });
  }
  const isFlat = names.length === 0 && (await looseImages(folder)).length > 0;
  offer(places, 'train', isFlat ? { kind: 'named', folder } : classes(folder, beside));
  return { ...places, isCertain: beside.length > 0 };
}

function classes(folder: string, others: readonly string[] = []): Place {
  return { kind: 'classes', folder, others };
}

async function holdsOnlyImages(folder: string): Promise<boolean> {
  return (await subfolders(folder)).length === 0 && (await looseImages(folder)).length > 0;
}

/** Images in the folder itself are named after their classes; else it has class folders. */
async function placeOf(folder: string): Promise<Place> {
  return (await holdsOnlyImages(folder)) ? { kind: 'named', folder } : classes(folder);
}

/** The folder, or the one of the same name that is all it holds, as some archives have it. */
async function unwrapped(folder: string): Promise<string> {
  const names = await subfolders(folder);
  return names.length === 1 && names[0] === basename(folder) ? join(folder, names[0]) : folder;
}

/**
 * A folder with 'test' in its name that holds images and no folders, most of them named after the
 * classes: kaggle_simpson_testset.
 */
async function findNamedTest(
  folder: string,
  names: readonly string[],
  classNames: readonly string[],
): Promise<{ name: string; folder: string } | undefined> {
  for (const name of names.filter((candidate) => /test/i.test(candidate))) {
    const place = await unwrapped(join(folder, name));
    if (!(await holdsOnlyImages(place))) continue;
    const images = await looseImages(place);
    const others = classNames.filter((other) => other !== name);
    const known = images.filter((image) => namedClass(image, others) !== -1);
    if (known.length > images.length / 2) return { name, folder: place };
  }
  return undefined;
}

/** The places as a layout: opening a part lists its images and decodes them. */
export function imagesLayout({ parts, notes: found }: Places, options: OpenOptions): Layout {
  if (options.crop !== undefined && options.crop !== 'roi') {
    throw new UsageError(`data: crop must be 'roi', got '${options.crop as string}'`);
  }
  const notes = [...found];
  const skipped: SkippedImage[] = [];
  const known = knownClasses(parts, options);
  let size: Pick<OpenOptions, 'imageSize' | 'enlarge' | 'channels'> = options;
  const open = async (part: Part, beside?: Beside): Promise<ImageDataset | undefined> => {
    const place = parts[part];
    if (place === undefined) return undefined;
    if (beside) {
      const [height, width, channels] = beside.imageShape;
      size = { imageSize: [height, width], channels: channels as 1 | 3, enlarge: 'cpu' };
    }
    const { classNames, leftOut } = beside ? { ...beside, leftOut: [] } : await known();
    const listing =
      part === 'train' && place.kind === 'classes'
        ? await known.train()
        : await listPlace(place, classNames, leftOut, options);
    notes.push(...listing.notes);
    const others = listing.skipped;
    if (others.length > 0) {
      notes.push(
        `${listing.folder}: skipped ${others.length} files that are no images (${others[0]}, …)`,
      );
    }
    const list = { ...listing, name: listing.folder };
    if (size.imageSize === undefined && options.pickSize) {
      size = { ...size, imageSize: options.pickSize(await sampleSizes(list.files)) };
    }
    const { imageSize, enlarge, channels = 3 } = size;
    const form = { ...options, imageSize, enlarge, channels };
    if (options.decodeAt === 'read') {
      const [height, width] = await chooseSize(list.files, form);
      return new FolderDataset(list.name, list, [height, width, channels], options);
    }
    const opened = await openImages(listing.folder, list, form);
    notes.push(...opened.notes);
    skipped.push(...opened.skipped);
    if (opened.skipped.length > 0) notes.push(brokenNote(listing, opened.skipped));
    const { dataset } = opened;
    if (part === 'train') {
      checkClasses(listing, dataset, opened.skipped);
      // The other parts go by the image size of the training part.
      const [height, width] = dataset.imageShape;
      size = { ...size, imageSize: [height, width], enlarge: 'cpu' };
    }
    return dataset;
  };
  const where: Partial<Record<Part, string>> = {};
  for (const part of PARTS) {
    const place = parts[part];
    if (place) where[part] = whereOf(place);
  }
  return { parts: where, open, notes, skipped };
}

interface KnownClasses {
  (): Promise<{ classNames?: readonly string[]; leftOut: readonly string[] }>;
  train: () => Promise<FolderListing>;
}

/** The classes of all parts: those of the training part if there is one. */
function knownClasses(parts: Places['parts'], options: OpenOptions): KnownClasses {
  let listing: Promise<FolderListing> | undefined;
  const train = (): Promise<FolderListing> =>
    (listing ??= listPlace(parts.train!, options.classNames, [], options));
  const known = async () => {
    if (parts.train?.kind === 'classes') return train();
    if (options.classNames) return { classNames: options.classNames, leftOut: [] };
    if (parts.test?.kind === 'table') {
      return { classNames: SIGNS.map(({ name }) => name), leftOut: [] };
    }
    return { leftOut: [] };
  };
  return Object.assign(known, { train });
}

async function listPlace(
  place: Place,
  classNames: readonly string[] | undefined,
  leftOut: readonly string[],
  { minImages, crop }: OpenOptions,
): Promise<FolderListing> {
  if (place.kind === 'classes') {
    const { folder, others } = place;
    const listing = await listFolder(folder, { expected: classNames, minImages, leftOut, others });
    return crop === 'roi' ? cropListing(listing) : listing;
  }
  if (place.kind === 'table') return listSignTable(place.table, classNames!, crop === 'roi');
  if (classNames === undefined) {
    // Says what is missing: class folders.
    return listFolder(place.folder);
  }
  return listNamedImages(place.folder, classNames, leftOut);
}

function brokenNote({ folder, files }: FolderListing, skipped: readonly SkippedImage[]): string {
  const [{ file, reason }] = skipped;
  const more = skipped.length > 1 ? `, and ${skipped.length - 1} more` : '';
  return (
    `${folder}: skipped ${skipped.length} of ${files.length} images that cannot be decoded` +
    ` (${file}: ${reason}${more})`
  );
}

/** Throws for a class that has lost all its images. */
function checkClasses(
  listing: FolderListing,
  dataset: ImageDataset,
  skipped: readonly SkippedImage[],
): void {
  const counts = listing.classNames.map(() => 0);
  for (const label of dataset.labels) counts[label]++;
  for (const label of new Set(listing.labels)) {
    if (counts[label] > 0) continue;
    const lost = new Set(skipped.map(({ file }) => file));
    const index = listing.files.findIndex(
      (source, position) =>
        listing.labels[position] === label &&
        lost.has(typeof source === 'string' ? source : source.file),
    );
    const source = listing.files[index];
    const file = typeof source === 'string' ? source : source.file;
    const reason = skipped.find((image) => image.file === file)!.reason;
    throw new DataError(
      `${listing.folder}: no image of class '${listing.classNames[label]}' can be decoded` +
        ` (${file}: ${reason})`,
      'replace its images, or move its folder away',
    );
  }
}
