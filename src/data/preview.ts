/** Labelled grids of pictures, as PNG. */
import sharp from 'sharp';
import { DataError, UsageError } from '../errors.js';
import { imageBytes, type ImageDataset } from './dataset.js';
import { convertChannels, resizePixels } from './decode/resize.js';
import { limit } from './split.js';
import { fitText, textPath, textWidth } from '../plot/stroke_font.js';

/** A picture of a grid: pixels [H, W, C] and up to three lines below it. */
export interface GridPicture {
  pixels: Uint8Array;
  captions: readonly string[];
  /** Colour of the first caption: black, or green or red for right and wrong. */
  tone?: 'plain' | 'right' | 'wrong';
}

export interface GridOptions {
  imageShape: readonly [number, number, number];
  columns?: number;
  /** Enlargement; by default such that a picture is about 84 pixels wide. */
  scale?: number;
  /** Least room for a caption, in pixels. Default 72. */
  captionWidth?: number;
  /** A line above the grid. */
  title?: string;
  /** A word to the left of each row. */
  rowLabels?: readonly string[];
}

const MARGIN = 20;
const GAP = 12;
const TEXT = 8;
const LINE = 15;
const TITLE = 13;
const TONES = { plain: '#1f2328', right: '#1a7f37', wrong: '#cf222e' } as const;

interface Layout {
  width: number;
  height: number;
  pictureWidth: number;
  pictureHeight: number;
  columns: number;
  /** Left upper corner of a picture. */
  corner: (index: number) => [x: number, y: number];
}

function layOut(pictures: readonly (GridPicture | null)[], options: GridOptions): Layout {
  const [height, width] = options.imageShape;
  const scale = options.scale ?? (width >= 84 ? Math.min(1, 160 / width) : Math.round(84 / width));
  if (!(scale > 0 && scale * Math.max(width, height) <= 2048)) {
    throw new UsageError(
      `preview: scale must be more than 0 and give pictures of at most 2048 pixels, got ${scale}`,
    );
  }
  const columns = options.columns ?? Math.min(10, Math.ceil(Math.sqrt(pictures.length * 1.6)));
  if (!Number.isInteger(columns) || columns < 1) {
    throw new UsageError(`preview: columns must be a whole number ≥ 1, got ${columns}`);
  }
  const pictureWidth = Math.max(1, Math.round(width * scale));
  const pictureHeight = Math.max(1, Math.round(height * scale));
  const lines = Math.max(0, ...pictures.map((picture) => picture?.captions.length ?? 0));
  const cellWidth = Math.max(pictureWidth, options.captionWidth ?? 72) + GAP;
  const cellHeight = pictureHeight + lines * LINE + GAP;
  const labels = options.rowLabels?.map((label) => textWidth(label, TEXT)) ?? [];
  const left = MARGIN + (labels.length > 0 ? Math.ceil(Math.max(...labels)) + GAP : 0);
  const top = MARGIN + (options.title === undefined ? 0 : TITLE + GAP + 4);
  return {
    width: left + MARGIN - GAP + Math.min(columns, pictures.length) * cellWidth,
    height: top + MARGIN - GAP + Math.ceil(pictures.length / columns) * cellHeight + 2,
    pictureWidth,
    pictureHeight,
    columns,
    corner: (index) => [
      left + (index % columns) * cellWidth + Math.floor((cellWidth - GAP - pictureWidth) / 2),
      top + Math.floor(index / columns) * cellHeight,
    ],
  };
}

/**
 * A PNG of pictures in rows with text below each; small pictures are enlarged pixel by pixel, and
 * null leaves a place empty.
 *
 * @example
 * await pictureGrid([{ pixels, captions: ['cat', 'taken for dog'], tone: 'wrong' }], { imageShape })
 */
export async function pictureGrid(
  pictures: readonly (GridPicture | null)[],
  options: GridOptions,
): Promise<Buffer> {
  if (pictures.length === 0) throw new DataError('preview: no pictures to show');
  const layout = layOut(pictures, options);
  const canvas = new Uint8Array(layout.width * layout.height * 3).fill(255);
  for (const [index, shown] of pictures.entries()) {
    if (!shown) continue;
    const picture = enlarge(shown.pixels, options.imageShape, layout);
    const [left, top] = layout.corner(index);
    for (let row = 0; row < layout.pictureHeight; row++) {
      const bytes = layout.pictureWidth * 3;
      const line = picture.subarray(row * bytes, (row + 1) * bytes);
      canvas.set(line, ((top + row) * layout.width + left) * 3);
    }
  }
  const raw = { width: layout.width, height: layout.height, channels: 3 as const };
  return sharp(canvas, { raw })
    .composite([{ input: Buffer.from(captionSvg(pictures, options, layout)) }])
    .png({ compressionLevel: 9 })
    .toBuffer();
}

/** Whole-number enlargement repeats pixels; anything else is resampled. */
function enlarge(
  pixels: Uint8Array,
  imageShape: readonly [number, number, number],
  { pictureWidth, pictureHeight }: Layout,
): Uint8Array {
  const [height, width, channels] = imageShape;
  const colour = convertChannels(pixels, channels, 3);
  if (pictureWidth % width !== 0 || pictureHeight % height !== 0) {
    return resizePixels(colour, [height, width, 3], [pictureHeight, pictureWidth]);
  }
  const result = new Uint8Array(pictureWidth * pictureHeight * 3);
  const [stepX, stepY] = [pictureWidth / width, pictureHeight / height];
  for (let y = 0; y < pictureHeight; y++) {
    for (let x = 0; x < pictureWidth; x++) {
      const from = (Math.floor(y / stepY) * width + Math.floor(x / stepX)) * 3;
      result.set(colour.subarray(from, from + 3), (y * pictureWidth + x) * 3);
    }
  }
  return result;
}

function captionSvg(
  pictures: readonly (GridPicture | null)[],
  { title, captionWidth = 72, rowLabels = [] }: GridOptions,
  layout: Layout,
): string {
  const room = Math.max(layout.pictureWidth, captionWidth);
  let shapes = '';
  if (title !== undefined) {
    const text = fitText(title, TITLE, layout.width - 2 * MARGIN);
    const path = textPath(text, MARGIN, MARGIN + TITLE, TITLE);
    shapes += `<path d="${path}" stroke="${TONES.plain}" stroke-width="1.7"/>`;
  }
  for (const [row, label] of rowLabels.entries()) {
    const middle = layout.corner(row * layout.columns)[1] + layout.pictureHeight / 2;
    const path = textPath(label, MARGIN, middle + TEXT / 2, TEXT);
    shapes += `<path d="${path}" stroke="#656d76" stroke-width="1.15"/>`;
  }
  for (const [index, picture] of pictures.entries()) {
    if (!picture) continue;
    const { captions, tone = 'plain' } = picture;
    const [left, top] = layout.corner(index);
    const middle = left + layout.pictureWidth / 2;
    // A hair line around each picture, so that white ones have an edge too.
    shapes +=
      `<rect x="${left - 0.5}" y="${top - 0.5}" width="${layout.pictureWidth + 1}"` +
      ` height="${layout.pictureHeight + 1}" stroke="#d0d7de"/>`;
    for (const [line, caption] of captions.entries()) {
      const baseline = top + layout.pictureHeight + 5 + TEXT + line * LINE;
      const path = textPath(fitText(caption, TEXT, room), middle, baseline, TEXT, 'middle');
      const colour = line === 0 ? TONES[tone] : '#656d76';
      shapes += `<path d="${path}" stroke="${colour}" stroke-width="1.15"/>`;
    }
  }
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${layout.width}" height="${layout.height}">` +
    `<g fill="none" stroke-linecap="round" stroke-linejoin="round">${shapes}</g></svg>`
  );
}

export interface PreviewOptions extends Omit<GridOptions, 'imageShape'> {
  /** How many examples. Default 40. */
  count?: number;
  seed?: number;
}

/**
 * A labelled picture grid of some examples of a data set, of every class in proportion; the same ones
 * for one seed.
 */
export async function previewGrid(
  dataset: ImageDataset,
  { count = 40, seed = 1, ...options }: PreviewOptions = {},
): Promise<Buffer> {
  const { chosen, order } = someExamples(dataset, count, seed);
  const pixels = await chosen.read(order);
  const bytes = imageBytes(chosen);
  const [height, width] = dataset.imageShape;
  const pictures = order.map((example, index) => ({
    pixels: pixels.subarray(index * bytes, (index + 1) * bytes),
    captions: [chosen.classNames[chosen.labels[example]]],
  }));
  const title =
    options.title ??
    `${dataset.name}: ${dataset.size} images, ${width} × ${height}, ${dataset.classNames.length} classes`;
  return pictureGrid(pictures, { ...options, title, imageShape: dataset.imageShape });
}

/** Some examples, of every class in proportion, and their order by class. */
export function someExamples(
  dataset: ImageDataset,
  count: number,
  seed: number,
): { chosen: ImageDataset; order: number[] } {
  const chosen = limit(dataset, count, { seed, stratified: true });
  const order = Array.from(chosen.labels, (_, index) => index);
  order.sort((a, b) => chosen.labels[a] - chosen.labels[b] || a - b);
  return { chosen, order };
}
