/**
 * `builtin:digits`: handwritten-looking digits drawn by the program, so that the demo needs no
 * download. 28×28 grey, white pen on black, as MNIST is.
 *
 * Each picture is a function of (seed, part, its number) alone: asking for more pictures leaves the
 * first ones as they were.
 */
import { UsageError } from '../../errors.js';
import { drawPictures } from '../atlas.js';
import { MemoryDataset, numberedClasses } from '../dataset.js';
import { DIGIT_GLYPHS } from './digit_strokes.js';
import { addNoise } from './noise.js';
import { RandomPurpose, RandomStream } from '../random.js';
import { strokePath } from '../../plot/strokes.js';

const SIDE = 28;

/** How many pictures each part of a builtin data set has. */
export function builtinSizes(size: number): { train: number; test: number } {
  if (!Number.isInteger(size) || size < 1) {
    throw new UsageError(`data: size must be a whole number ≥ 1, got ${size}`);
  }
  return { train: size, test: Math.max(1, Math.round(size / 6)) };
}

/** Streams of random numbers for the pictures of a part; training and test pictures never meet. */
export function pictureStream(part: 'train' | 'test', index: number): number {
  return index * 2 + (part === 'train' ? 0 : 1);
}

/**
 * Draws one part of `builtin:digits`; labels run 0, 1, … 9, 0, 1, …
 *
 * @example
 * const test = await drawDigits('test', 1000, 1)
 */
export async function drawDigits(
  part: 'train' | 'test',
  count: number,
  seed: number,
): Promise<MemoryDataset> {
  const labels = Int32Array.from({ length: count }, (_, index) => index % 10);
  const streams = Array.from(
    labels,
    (_, index) => new RandomStream(seed, RandomPurpose.digits, pictureStream(part, index)),
  );
  const images = await drawPictures({
    side: SIDE,
    channels: 1,
    count,
    draw: (index, left, top) => drawDigit(labels[index], streams[index], left, top),
    finish: (index, pixels) => light(pixels, streams[index]),
  });
  return new MemoryDataset({
    name: `builtin:digits ${part}`,
    imageShape: [SIDE, SIDE, 1],
    classNames: numberedClasses(10),
    labels,
    images,
  });
}

/** SVG of one digit in a tile of the atlas: a way of writing it, its pose and its pen. */
function drawDigit(digit: number, random: RandomStream, left: number, top: number): string {
  const glyph = random.pick(DIGIT_GLYPHS[digit]);
  const pen = random.uniform(1.6, 3.4);
  const height = random.uniform(16.5, 21);
  const width = height * random.uniform(0.75, 1.3);
  const turn = random.normal() * 0.13;
  const shear = random.normal() * 0.2 + 0.12;
  const wobble = random.uniform(0.004, 0.03);
  const cos = Math.cos(turn);
  const sin = Math.sin(turn);
  const strokes = glyph.map((stroke) =>
    stroke.map(([x, y, corner]) => {
      const wideX = (x - shear * y + random.normal() * wobble) * width;
      const tallY = (y + random.normal() * wobble) * height;
      return [wideX * cos - tallY * sin, wideX * sin + tallY * cos, corner] as const;
    }),
  );
  // Shifted at random, but never out of the tile: the spline may swing a little beyond its points.
  const room = SIDE - pen - 3;
  const extents = ([0, 1] as const).map((axis) => {
    const values = strokes.flat().map((point) => point[axis]);
    return { low: Math.min(...values), high: Math.max(...values) };
  });
  const scale = Math.min(1, ...extents.map(({ low, high }) => room / (high - low)));
  const [shiftX, shiftY] = extents.map(({ low, high }) => {
    const reach = (room - scale * (high - low)) / 2;
    const shift = Math.max(-reach, Math.min(reach, random.normal() * 1.1));
    return SIDE / 2 - (scale * (low + high)) / 2 + shift;
  });
  const path = strokes
    .map((stroke) =>
      strokePath(stroke, (x, y) => [left + shiftX + scale * x, top + shiftY + scale * y]),
    )
    .join('');
  return (
    `<path d="${path}" fill="none" stroke="#fff" stroke-width="${pen.toFixed(2)}"` +
    ` stroke-linecap="round" stroke-linejoin="round"/>`
  );
}

/** Light that falls off to one side, and the noise of a camera. */
function light(image: Uint8Array, random: RandomStream): void {
  const gain = random.uniform(0.75, 1.08);
  const slopeX = random.uniform(-0.2, 0.2) / SIDE;
  const slopeY = random.uniform(-0.2, 0.2) / SIDE;
  const noise = Math.max(0, random.uniform(-10, 22));
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      const factor = gain + slopeX * (x - SIDE / 2) + slopeY * (y - SIDE / 2);
      image[y * SIDE + x] = Math.min(255, image[y * SIDE + x] * factor);
    }
  }
  addNoise(image, noise, random);
}
