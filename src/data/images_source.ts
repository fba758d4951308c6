/** Folders of images: which part of a data set lies where in them, and how a part is opened. */
import { basename, join } from 'node:path';
import { DataError, UsageError } from '../gpu/errors.js';
import type { ImageDataset } from './dataset.js';
import {
  listFolder,
  listNamedImages,
  looseImages,
  namedClass,
  PART_FOLDERS,
  subfolders,
  type FolderListing,
} from './folder.js';
import { FolderDataset } from './folder_dataset.js';
import { cropListing, findSigns, listSignTable, type SignTable } from './gtsrb.js';
import { chooseSize, openImages, type SkippedImage } from './open_images.js';
import { SIGNS } from './sign_shapes.js';
import type { OpenOptions, Part, Source } from './sources.js';

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
  notes: string[];
}

/** Folders of class folders that archives of their own name hold. */
const TRAIN_ARCHIVES = ['simpsons_dataset'];

/**
 * Finds the parts of a data set of images: GTSRB as published; class folders below DIR/train, DIR/val
 * and DIR/test; a folder of test images named after their classes beside class folders; or class folders
 * in DIR itself, which are the training part.
 */
export async function findPlaces(folder: string): Promise<Places> {
  const signs = await findSigns(folder);
  const names = await subfolders(folder);
  const places: Places = { folder, parts: {}, isCertain: true, notes: signs?.notes ?? [] };
  const { parts } = places;
  if (signs) {
    if (signs.train) parts.train = classes(signs.train);
    if (signs.test) parts.test = { kind: 'table', table: signs.test };
    return places;
  }
  const named = (part: Part): string | undefined =>
    names.find((name) => PART_FOLDERS[part].some((known) => known === name.toLowerCase()));
  const [validation, test] = [named('validation'), named('test')];
  const trainName = named('train');
  // A class may have such a name too: CIFAR-100 has pictures of trains.
  const isPart = trainName !== undefined && !(await holdsOnlyImages(join(folder, trainName)));
  const train =
    (isPart ? trainName : undefined) ?? names.find((name) => TRAIN_ARCHIVES.includes(name));
  const hasOnlyParts = names.length > 0 && names.every((name) => [test, validation].includes(name));
  if (train === undefined && !hasOnlyParts) {
    const loose = await findNamedTest(folder, names, names);
    if (loose) parts.test = { kind: 'named', folder: loose.folder };
    const isFlat = names.length === 0 && (await looseImages(folder)).length > 0;
    parts.train = isFlat ? { kind: 'named', folder } : classes(folder, loose ? [loose.name] : []);
    return { ...places, isCertain: loose !== undefined };
  }
  const trainFolder = train === undefined ? undefined : await unwrapped(join(folder, train));
  if (trainFolder !== undefined) parts.train = classes(trainFolder);
  if (test !== undefined) parts.test = await placeOf(join(folder, test));
  if (validation !== undefined) parts.validation = await placeOf(join(folder, validation));
  if (test === undefined && trainFolder !== undefined) {
    const loose = await findNamedTest(folder, names, await subfolders(trainFolder));
    if (loose) parts.test = { kind: 'named', folder: loose.folder };
  }
  return places;
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

/** Opens the parts: lists their images, and decodes them. */
export function imagesSource({ parts, notes: found }: Places, options: OpenOptions): Source {
  if (options.crop !== undefined && options.crop !== 'roi') {
    throw new UsageError(`data: crop must be 'roi', got '${options.crop as string}'`);
  }
  const notes = [...found];
  const skipped: SkippedImage[] = [];
  const known = knownClasses(parts, options);
  let size = { imageSize: options.imageSize, enlarge: options.enlarge };
  const open = async (part: Part): Promise<ImageDataset | undefined> => {
    const place = parts[part];
    if (place === undefined) return undefined;
    const { classNames, leftOut } = await known();
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
    const form = { ...options, ...size };
    if (options.decodeAt === 'read') {
      const [height, width] = await chooseSize(list.files, form);
      return new FolderDataset(list.name, list, [height, width, options.channels ?? 3], options);
    }
    const opened = await openImages(listing.folder, list, form);
    notes.push(...opened.notes);
    skipped.push(...opened.skipped);
    if (opened.skipped.length > 0) notes.push(brokenNote(listing, opened.skipped));
    const { dataset } = opened;
    if (part === 'train') {
      checkClasses(listing, dataset, opened.skipped);
      // The other parts go by the image size of the training part.
      size = { imageSize: [dataset.imageShape[0], dataset.imageShape[1]], enlarge: 'cpu' };
    }
    return dataset;
  };
  return { open, notes, skipped };
}

interface KnownClasses {
  (): Promise<{ classNames?: readonly string[]; leftOut: readonly string[] }>;
  train: () => Promise<FolderListing>;
}

/** The classes of all parts: those of the training part where there is one. */
function knownClasses(parts: Places['parts'], options: OpenOptions): KnownClasses {
  let listing: Promise<FolderListing> | undefined;
  const train = (): Promise<FolderListing> =>
    (listing ??= listPlace(parts.train!, options.classNames, [], options));
  const known = async () => {
    if (parts.train?.kind === 'classes') return train();
    const isTable = parts.test?.kind === 'table';
    return {
      classNames: options.classNames ?? (isTable ? SIGNS.map(({ name }) => name) : undefined),
      leftOut: [],
    };
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
