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

/**
 * The worst mistakes: what each was taken for and how surely, and its true class with the
 * probability that was left for it. Null when there are none.
 */
export async function worstMistakes(examples: Examples): Promise<Buffer | null> {
  const wrong = mistakesOf(examples);
  if (wrong.length === 0) return null;
  const chosen = wrong.slice(0, MOST);
  const title = `${chosen.length} of ${wrong.length} mistakes, the largest loss first`;
  return grid(examples, chosen, title);
}

/** Predictions of some examples, the same ones for one seed: a fair sample, not the worst. */
export async function randomPredictions(examples: Examples, seed: number): Promise<Buffer | null> {
  const { dataset, evaluation } = examples;
  if (dataset.size === 0) return null;
  const order = permutation(dataset.size, seed, RandomPurpose.preview, 1);
  const chosen = Array.from(order.slice(0, MOST));
  const right = chosen.filter((n) => evaluation.predictions[n] === dataset.labels[n]).length;
  return grid(
    examples,
    chosen,
    `${chosen.length} images drawn at random: ${right} right (green), ${chosen.length - right} wrong`,
  );
}

async function grid(
  { dataset, names: allNames, evaluation }: Examples,
  chosen: readonly number[],
  title: string,
): Promise<Buffer> {
  const { predictions, probabilities } = evaluation;
  const names = chartNames(allNames, CAPTION, WIDEST_CAPTION - 52);
  const percent = (n: number, k: number): string =>
    `${(100 * probabilities[n * names.length + k]).toFixed(0)} %`;
  const pixels = await dataset.read(chosen);
  const bytes = imageBytes(dataset);
  const pictures: GridPicture[] = chosen.map((n, i) => {
    const [prediction, label] = [predictions[n], dataset.labels[n]];
    const isRight = prediction === label;
    const first = `${names[prediction]} (${percent(n, prediction)})`;
    return {
      pixels: pixels.subarray(i * bytes, (i + 1) * bytes),
      captions: isRight ? [first] : [first, `true: ${names[label]}`, `given ${percent(n, label)}`],
      tone: isRight ? 'right' : 'wrong',
    };
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
