/** Pictures before and after augmentation, as the GPU makes them for training. */
import type { AugmentSettings } from '../autograd/augment_settings.js';
import { augmentText } from '../autograd/augment_text.js';
import type { Device } from '../device.js';
import { UsageError } from '../errors.js';
import { augment } from '../ops/random.js';
import { cast } from '../ops/elementwise.js';
import { imageBytes, type ImageDataset } from './dataset.js';
import { pictureGrid, someExamples, type GridPicture } from './preview.js';
import { inForm } from './decode/resize.js';

/** Most pictures side by side. */
const COLUMNS = 10;

export interface AugmentGridOptions {
  settings: AugmentSettings;
  /** How many examples. Default 8. */
  count?: number;
  /** Rows of pictures after, each dealt anew. Default 3. */
  versions?: number;
  /** Which examples; what they are dealt follows from the device's seed. Default 1. */
  seed?: number;
  /** Height, width and channels that go out. Default the data set's. */
  input?: readonly [number, number, number];
}

/**
 * A PNG of some examples, each in a column of its own: as it is (only resized), and below it
 * several versions of it, displaced.
 *
 * @throws UsageError for settings out of range, or an input of neither 1 nor 3 channels
 *
 * @example
 * await augmentGrid(device, signs, { settings: { flip: 0.5, rotation: 15 }, versions: 4 })
 */
export async function augmentGrid(
  device: Device,
  dataset: ImageDataset,
  options: AugmentGridOptions,
): Promise<Buffer> {
  const { settings, count = 8, versions = 3, seed = 1, input = dataset.imageShape } = options;
  const [height, width, channels] = input;
  if (channels !== 1 && channels !== 3) {
    throw new UsageError(`data preview: --input must have 1 or 3 channels, got ${channels}`);
  }
  const { chosen, order } = someExamples(inForm(dataset, { channels }), count, seed);
  const bytes = await chosen.read(order);
  const rows: Uint8Array[] = [];
  for (let row = 0; row <= versions; row++) {
    // As bytes again: rounded, which the eye does not see.
    const shown = device.scope(() =>
      cast(
        augment(device.tensor(bytes), {
          imageShape: chosen.imageShape,
          size: [height, width],
          settings,
          training: row > 0,
          scale: 1,
        }),
        'u8',
      ),
    );
    rows.push((await shown.data()) as Uint8Array);
    shown.dispose();
  }
  const pixelBytes = imageBytes({ imageShape: input });
  const pictures: (GridPicture | null)[] = [];
  const rowLabels: string[] = [];
  // As many in each block of rows as can be alike.
  const columns = Math.ceil(order.length / Math.ceil(order.length / COLUMNS));
  for (let from = 0; from < order.length; from += columns) {
    const places = Array.from({ length: columns }, (_, column) => from + column);
    for (const [row, pixels] of rows.entries()) {
      rowLabels.push(row === 0 ? 'before' : 'after');
      for (const place of places) {
        if (place >= order.length) {
          pictures.push(null);
          continue;
        }
        const name = chosen.classNames[chosen.labels[order[place]]];
        const start = place * pixelBytes;
        const shown = pixels.subarray(start, start + pixelBytes);
        pictures.push({ pixels: shown, captions: row === 0 ? [name] : [] });
      }
    }
  }
  const title = `${dataset.name}: ${augmentText(settings)}`;
  return pictureGrid(pictures, { imageShape: input, columns, title, rowLabels });
}
