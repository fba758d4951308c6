/**
 * `builtin:signs`: 43 traffic signs drawn by the program, 32×32 in colour, seen as a camera on the road
 * sees them: askew, in sun or dusk, blurred and noisy, before all sorts of background.
 *
 * Each picture is a function of (seed, part, its number) alone, as with `builtin:digits`.
 */
import { drawPictures } from '../atlas.js';
import { MemoryDataset } from '../dataset.js';
import { pictureStream } from './digits.js';
import { addNoise } from './noise.js';
import { RandomPurpose, RandomStream } from '../random.js';
import { SIGNS } from './sign_shapes.js';

const SIDE = 32;

/** Colours of sky, walls, trees and asphalt. */
const SURROUNDINGS = [
  '#9fc3e6', '#c9d8e6', '#e8eef2', '#6f93b8', '#5b7045', '#3f5233', '#7d8f55', '#8c7a66',
  '#a39a8e', '#6d6a66', '#4a4845', '#b8a58a', '#74503c', '#2f3336', '#d6cfc0',
]; // prettier-ignore

/**
 * Draws one part of `builtin:signs`; labels run 0, 1, … 42, 0, 1, …
 *
 * @example
 * const test = await drawSigns('test', 860, 1)
 */
export async function drawSigns(
  part: 'train' | 'test',
  count: number,
  seed: number,
): Promise<MemoryDataset> {
  const labels = Int32Array.from({ length: count }, (_, index) => index % SIGNS.length);
  const streams = Array.from(
    labels,
    (_, index) => new RandomStream(seed, RandomPurpose.signs, pictureStream(part, index)),
  );
  const images = await drawPictures({
    side: SIDE,
    channels: 3,
    count,
    definitions: SIGNS.map(({ svg }, index) => `<g id="sign${index}">${svg}</g>`).join(''),
    draw: (index, left, top) => drawScene(labels[index], streams[index], left, top),
    finish: (index, pixels) => photograph(pixels, streams[index]),
  });
  return new MemoryDataset({
    name: `builtin:signs ${part}`,
    imageShape: [SIDE, SIDE, 3],
    classNames: SIGNS.map(({ name }) => name),
    labels,
    images,
  });
}

/** SVG of a sign on its post before a background, in a tile of its own. */
function drawScene(sign: number, random: RandomStream, left: number, top: number): string {
  const place = (range: number): string => random.uniform(-range, range).toFixed(2);
  let scene = `<rect width="32" height="32" fill="${random.pick(SURROUNDINGS)}"/>`;
  const shapes = random.integer(6);
  for (let shape = 0; shape < shapes; shape++) {
    const colour = random.pick(SURROUNDINGS);
    const [x, y] = [random.uniform(-8, 32), random.uniform(-8, 32)];
    const [width, height] = [random.uniform(4, 30), random.uniform(4, 30)];
    const radius = random.pick([0, 0, 2, 8]);
    scene +=
      `<rect x="${x.toFixed(1)}" y="${y.toFixed(1)}" width="${width.toFixed(1)}"` +
      ` height="${height.toFixed(1)}" rx="${radius}" fill="${colour}"` +
      ` transform="rotate(${place(30)} 16 16)"/>`;
  }
  // The box of a sign is 100 wide: 0.27 leaves a little room around it, 0.31 fills the picture.
  const size = random.uniform(0.215, 0.31);
  const narrow = random.uniform(0.85, 1);
  const slant = random.normal() * 0.05;
  const turn = random.normal() * 0.08;
  const [cos, sin] = [Math.cos(turn) * size, Math.sin(turn) * size];
  const matrix = [cos * narrow, sin * narrow, slant * cos - sin, slant * sin + cos];
  const [x, y] = [16 + random.normal() * 0.9, 16 + random.normal() * 0.9];
  const numbers = [...matrix, x, y].map((value) => value.toFixed(3));
  if (random.integer(2) === 0) {
    scene += `<rect x="${(x - 1).toFixed(1)}" y="${y.toFixed(1)}" width="2" height="32" fill="#77797a"/>`;
  }
  scene += `<use xlink:href="#sign${sign}" transform="matrix(${numbers.join(' ')})"/>`;
  return `<svg x="${left}" y="${top}" width="32" height="32" viewBox="0 0 32 32">${scene}</svg>`;
}

/** Light, haze, the colour of the light, blur and noise, in place. */
function photograph(pixels: Uint8Array, random: RandomStream): void {
  blur(pixels, random.uniform(0, 0.3));
  // Dusk is as likely as full sun, hence even steps in the exponent.
  const gain = 2 ** random.uniform(-1.7, 0.25);
  const haze = random.uniform(0, 50) * Math.min(1, gain);
  const tint = [0, 0, 0].map(() => 1 + random.normal() * 0.05);
  const slope = [random.uniform(-0.25, 0.25) / SIDE, random.uniform(-0.25, 0.25) / SIDE];
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      const light = gain * (1 + slope[0] * (x - SIDE / 2) + slope[1] * (y - SIDE / 2));
      for (let channel = 0; channel < 3; channel++) {
        const at = (y * SIDE + x) * 3 + channel;
        pixels[at] = Math.min(255, haze + pixels[at] * light * tint[channel] * (1 - haze / 255));
      }
    }
  }
  addNoise(pixels, random.uniform(0, 9), random);
}

/** Each pixel gives `share` of itself to either neighbour, across and then down. */
function blur(pixels: Uint8Array, share: number): void {
  const source = new Uint8Array(pixels.length);
  for (const step of [3, SIDE * 3]) {
    source.set(pixels);
    for (let at = step; at < pixels.length - step; at++) {
      pixels[at] =
        source[at] * (1 - 2 * share) + (source[at - step] + source[at + step]) * share + 0.5;
    }
  }
}
