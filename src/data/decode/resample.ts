/**
 * Images of bytes scaled to another size, by the one rule that holds for all of them, files and arrays.
 *
 * Along an axis of N pixels to one of M, the centre of output pixel i lies at (i + ½) · N / M. Reducing
 * (N > M), a triangle N / M pixels to either side weighs what is under it, so every pixel counts;
 * enlarging, it is one pixel to either side: linear interpolation. First along rows, rounded to bytes,
 * then along columns; the other way where only columns get shorter. This is bit for bit what BILINEAR of
 * Pillow 13 does, which torchvision's transforms use.
 */
import type { RawImage } from './ppm.js';

/** Weights are whole multiples of 2⁻²²: sums of 255 times as much stay below 2³¹. */
const BITS = 22;
const HALF = 1 << (BITS - 1);

/** For each output pixel the input pixels it is made of. */
interface Taps {
  /** The first one. */
  first: Int32Array;
  count: Int32Array;
  /** Of output pixel i from i · most on. */
  weights: Int32Array;
  most: number;
}

function tapsOf(from: number, to: number): Taps {
  const scale = from / to;
  const support = Math.max(scale, 1);
  const most = 2 * Math.ceil(support) + 1;
  const first = new Int32Array(to);
  const count = new Int32Array(to);
  const weights = new Int32Array(to * most);
  const triangle = new Float64Array(most);
  for (let i = 0; i < to; i++) {
    const centre = (i + 0.5) * scale;
    const begin = Math.max(0, Math.trunc(centre - support + 0.5));
    const end = Math.min(from, Math.trunc(centre + support + 0.5));
    first[i] = begin;
    count[i] = end - begin;
    let sum = 0;
    for (let k = 0; k < end - begin; k++) {
      const distance = Math.abs((k + begin - centre + 0.5) * (1 / support));
      triangle[k] = Math.max(0, 1 - distance);
      sum += triangle[k];
    }
    for (let k = 0; k < end - begin; k++) {
      weights[i * most + k] = Math.trunc(0.5 + (triangle[k] / sum) * (1 << BITS));
    }
  }
  return { first, count, weights, most };
}

/** Pixels of one image scaled to another size; the aspect ratio follows the new size. */
export function resizeImage(image: RawImage, newHeight: number, newWidth: number): RawImage {
  if (newHeight < image.height && newWidth > image.width) {
    return resizeRows(resizeColumns(image, newHeight), newWidth);
  }
  return resizeColumns(resizeRows(image, newWidth), newHeight);
}

function resizeRows({ pixels, height, width, channels }: RawImage, newWidth: number): RawImage {
  if (width === newWidth) return { pixels, height, width, channels };
  const taps = tapsOf(width, newWidth);
  const result = new Uint8Array(height * newWidth * channels);
  const scale = channels === 3 ? scaleColourRow : scaleGreyRow;
  for (let y = 0; y < height; y++) {
    scale(pixels, y * width * channels, result, y * newWidth * channels, taps);
  }
  return { pixels: result, height, width: newWidth, channels };
}

function scaleGreyRow(
  from: Uint8Array,
  start: number,
  to: Uint8Array,
  out: number,
  { first, count, weights, most }: Taps,
): void {
  for (let x = 0; x < first.length; x++) {
    let sum = HALF;
    const at = start + first[x];
    const taps = x * most;
    for (let k = 0; k < count[x]; k++) sum = (sum + Math.imul(from[at + k], weights[taps + k])) | 0;
    to[out + x] = sum >> BITS;
  }
}

function scaleColourRow(
  from: Uint8Array,
  start: number,
  to: Uint8Array,
  out: number,
  { first, count, weights, most }: Taps,
): void {
  for (let x = 0; x < first.length; x++) {
    let [red, green, blue] = [HALF, HALF, HALF];
    let at = start + 3 * first[x];
    const end = x * most + count[x];
    for (let k = x * most; k < end; k++, at += 3) {
      const weight = weights[k];
      red = (red + Math.imul(from[at], weight)) | 0;
      green = (green + Math.imul(from[at + 1], weight)) | 0;
      blue = (blue + Math.imul(from[at + 2], weight)) | 0;
    }
    to[out + 3 * x] = red >> BITS;
    to[out + 3 * x + 1] = green >> BITS;
    to[out + 3 * x + 2] = blue >> BITS;
  }
}

function resizeColumns({ pixels, height, width, channels }: RawImage, newHeight: number): RawImage {
  if (height === newHeight) return { pixels, height, width, channels };
  const { first, count, weights, most } = tapsOf(height, newHeight);
  const length = width * channels;
  const result = new Uint8Array(newHeight * length);
  const sums = new Int32Array(length);
  for (let y = 0; y < newHeight; y++) {
    sums.fill(HALF);
    for (let k = 0; k < count[y]; k++) {
      const weight = weights[y * most + k];
      const row = (first[y] + k) * length;
      for (let i = 0; i < length; i++) sums[i] += Math.imul(pixels[row + i], weight);
    }
    const out = y * length;
    for (let i = 0; i < length; i++) result[out + i] = sums[i] >> BITS;
  }
  return { pixels: result, height: newHeight, width, channels };
}
