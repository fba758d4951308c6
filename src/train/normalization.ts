import { optionName, UsageError } from '../errors.js';
import { isF32 } from '../gpu/f32.js';

/** Pixels in [0, 1] become (pixel − mean) / standardDeviation, channel by channel. */
export interface Normalization {
  mean: readonly number[];
  standardDeviation: readonly number[];
}

/** Of ImageNet's training images: what networks pretrained on them expect. */
const imagenet: Normalization = {
  mean: [0.485, 0.456, 0.406],
  standardDeviation: [0.229, 0.224, 0.225],
};

/**
 * The normalisation a text stands for: `none`, `imagenet`, or one mean for each channel, a slash,
 * and one standard deviation for each: `0.5,0.5,0.5/0.25,0.25,0.25`.
 *
 * Errors: UsageError for anything else.
 */
export function parseNormalization(text: string): Normalization | null {
  if (text === 'none') return null;
  if (text === 'imagenet') return imagenet;
  const [mean, standardDeviation] = text
    .split('/')
    .map((list) => list.split(',').map((part) => Number(part || NaN)));
  const isFine =
    standardDeviation !== undefined &&
    mean.length === standardDeviation.length &&
    mean.every(isF32) &&
    standardDeviation.every((value) => isF32(value) && value > 0);
  if (isFine) return { mean, standardDeviation };
  throw new UsageError(
    `normalize: expected none, imagenet, or means/deviations, got "${text}"`,
    'give one mean and one deviation above 0 a channel: 0.5,0.5,0.5/0.25,0.25,0.25',
  );
}

/** The text of a normalisation, of which each number comes back as it was. */
export function normalizationText(given: string | Normalization): string {
  if (typeof given === 'string') return given;
  return `${given.mean.join()}/${given.standardDeviation.join()}`;
}

/** Errors: UsageError for a normalisation of other channels than the images have. */
export function checkNormalization(where: string, normalize: string, channels: number): void {
  const count = parseNormalization(normalize)?.mean.length ?? channels;
  if (count === channels) return;
  throw new UsageError(
    `${where}: ${optionName('normalize')} ${normalize} is for ${count} channels, the images have ${channels}`,
    'give one mean and one deviation a channel',
  );
}
