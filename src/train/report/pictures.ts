import { statSync } from 'node:fs';
import { relative, sep } from 'node:path';
import sharp from 'sharp';
import {
  imageBytes,
  permutation,
  pictureGrid,
  RandomPurpose,
  type GridPicture,
  type ImageDataset,
} from '../../data/index.js';
import type { Evaluation } from '../evaluate.js';
import { chartNames, widest } from '../../plot/charts.js';
import type { Tile } from './html.js';

/** Pictures of a grid at most. */
const MOST = 40;
/** Size of pictureGrid's captions, and the room they may take. */
const CAPTION = 8;
const WIDEST_CAPTION = 160;

export interface Examples {
  dataset: ImageDataset;
  names: readonly string[];
  evaluation: Evaluation;
}

/** Examples that were classified wrongly, the largest loss first. */
export function mistakesOf({ dataset, evaluation }: Examples): number[] {
  const { predictions, losses } = evaluation;
  const wrong = Array.from(predictions.keys()).filter((n) => predictions[n] !== dataset.labels[n]);
  // A loss that is no number is worse than any other.
  const badness = (n: number): number => (Number.isNaN(losses[n]) ? Infinity : losses[n]);
  return wrong.sort((a, b) => (badness(a) === badness(b) ? a - b : badness(b) - badness(a)));
}

/** Some examples for the report: how they are headed, and which. */
export interface Chosen {
  title: string;
  order: readonly number[];
}

/** The worst mistakes, the largest loss first. Null when there are none. */
export function worstMistakes(examples: Examples): Chosen | null {
  const wrong = mistakesOf(examples);
  if (wrong.length === 0) return null;
  const order = wrong.slice(0, MOST);
  return { order, title: `${order.length} of ${wrong.length} mistakes, the largest loss first` };
}

/** Some examples, the same ones for one seed: a fair sample, not the worst. Null when there are none. */
export function randomPredictions({ dataset, evaluation }: Examples, seed: number): Chosen | null {
  if (dataset.size === 0) return null;
  const shuffled = permutation(dataset.size, seed, RandomPurpose.preview, 1);
  const order = Array.from(shuffled.slice(0, MOST));
  const right = order.filter((n) => evaluation.predictions[n] === dataset.labels[n]).length;
  const wrong = order.length - right;
  return {
    order,
    title: `${order.length} images drawn at random: ${right} right (green), ${wrong} wrong`,
  };
}

interface Captions {
  lines: string[];
  tone: 'right' | 'wrong';
}

/**
 * What an example was taken for and how surely; where that is wrong, its true class with the
 * probability that was left for it.
 */
function captionsOf(
  { evaluation, dataset }: Examples,
  names: readonly string[],
  n: number,
): Captions {
  const { predictions, probabilities } = evaluation;
  const percent = (k: number): string =>
    `${(100 * probabilities[n * names.length + k]).toFixed(0)} %`;
  const [prediction, label] = [predictions[n], dataset.labels[n]];
  const first = `${names[prediction]} (${percent(prediction)})`;
  if (prediction === label) return { lines: [first], tone: 'right' };
  const more = [`true: ${names[label]}`, `given ${percent(label)}`];
  return { lines: [first, ...more], tone: 'wrong' };
}

/** The examples as one picture, with names as short as there is room for. */
export async function pictureOf(examples: Examples, { order, title }: Chosen): Promise<Buffer> {
  const { dataset } = examples;
  const names = chartNames(examples.names, CAPTION, WIDEST_CAPTION - 52);
  const pixels = await dataset.read(order);
  const bytes = imageBytes(dataset);
  const pictures: GridPicture[] = order.map((n, i) => {
    const { lines, tone } = captionsOf(examples, names, n);
    return { pixels: pixels.subarray(i * bytes, (i + 1) * bytes), captions: lines, tone };
  });
  const needed = widest(
    pictures.flatMap(({ captions }) => captions),
    CAPTION,
  );
  const captionWidth = Math.ceil(Math.min(WIDEST_CAPTION, Math.max(72, needed)));
  // Wide captions leave room for fewer columns on a page.
  const columns = captionWidth > 110 ? 6 : 8;
  const { imageShape } = dataset;
  return pictureGrid(pictures, { imageShape, title, captionWidth, columns });
}

/** Longest edge of a tile's picture, in pixels. */
const TILE = 160;

/**
 * The examples as tiles of a page in `folder`: what the network saw, with whole names, and a link to
 * the original where that is a file.
 */
export async function tilesOf(
  examples: Examples,
  { order }: Chosen,
  folder: string,
): Promise<Tile[]> {
  const { dataset, names } = examples;
  const pixels = await dataset.read(order);
  const [height, width, channels] = dataset.imageShape;
  const bytes = imageBytes(dataset);
  return Promise.all(
    order.map(async (n, i) => {
      const raw = { width, height, channels: channels as 1 | 3 };
      const png = await sharp(pixels.subarray(i * bytes, (i + 1) * bytes), { raw })
        .resize(TILE, TILE, { fit: 'inside', withoutEnlargement: true })
        .png()
        .toBuffer();
      const { lines, tone } = captionsOf(examples, names, n);
      const source = dataset.describe?.(n) ?? `${dataset.name} #${n}`;
      return { png, captions: lines, tone, source, href: hrefOf(source, folder) };
    }),
  );
}

/** A link from a page in `folder` to a file; null if `source` is none. */
function hrefOf(source: string, folder: string): string | null {
  if (!statSync(source, { throwIfNoEntry: false })?.isFile()) return null;
  const path = relative(folder, source).split(sep);
  return path.map((part) => (part === '..' ? part : encodeURIComponent(part))).join('/');
}
