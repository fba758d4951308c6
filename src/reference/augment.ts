/**
 * Random displacement of pictures, resized and normalised. Output pixel (i, j) shows the point `source` of the input,
 * between the pixels by bilinear interpolation:
 *
 *     p = ((i + ½) · h / H, (j + ½) · w / W)                    the same place, without a displacement
 *     q = p + grid(p) + elastic(p)                              each dealt anew to every image
 *     source = middle + flip · turn⁻¹ · (q − middle − shift) / zoom
 *
 * The numbers come from Philox by image and purpose as shaders/augment_draw.wgsl tells; all are made in float64 here.
 */
import { fillOutput, need } from './lib/arrays.js';
import { philox4x32, uniformFromBits, type RandomState } from './philox.js';
import type { RefArray, Reference } from './types.js';

type Pair = [y: number, x: number];

/** As the op takes them; what is absent is not done. Angles in degrees, the others shares. */
export interface AugmentReferenceSettings {
  flip?: number;
  shift?: number | readonly [height: number, width: number];
  rotation?: number;
  zoom?: number;
  brightness?: number;
  gridDistortion?: { probability?: number; limit?: number; steps?: number };
  elastic?: { probability?: number; strength?: number; smoothness?: number };
  probabilities?: { shift?: number; rotation?: number; zoom?: number; brightness?: number };
  fill?: 'nearest' | 'constant' | 'reflect';
  fillValue?: number;
}

/** Defaults: the images' size, no settings, training true, scale 1 / 255, mean 0, deviation 1, draw 0 of seed 7. */
export type AugmentReferenceOptions = {
  size?: readonly [number, number];
  settings?: AugmentReferenceSettings;
  training?: boolean;
  scale?: number;
  mean?: readonly number[];
  standardDeviation?: readonly number[];
  random?: RandomState;
};

/** What one image is dealt. */
export interface DealtImage {
  flip: boolean;
  /** Pixels of the input. */
  shift: Pair;
  radians: number;
  zoom: number;
  brightness: number;
  /** Offsets of the lines of the grid, as shares of the size; the same number for both axes. */
  lines: Pair[];
  /** Displacements in pixels of the input, (spans + 3)² row by row. */
  knots: Pair[];
}

/** The numbers image n is dealt. */
export function dealImage(
  settings: AugmentReferenceSettings,
  size: readonly number[],
  n: number,
  { seed, stream, draw }: RandomState,
): DealtImage {
  const uniforms = (quad: number, purpose: number): number[] =>
    philox4x32([quad, purpose, draw, 0], [seed, stream]).map(uniformFromBits);
  const signed = (quad: number, purpose: number): number[] =>
    uniforms(quad, purpose).map((u) => 2 * u - 1);
  const pairs = (count: number, purpose: number): Pair[] =>
    Array.from({ length: count }, (_, k) => {
      const numbers = signed(n * Math.ceil(count / 2) + Math.floor(k / 2), purpose);
      return k % 2 === 0 ? [numbers[0], numbers[1]] : [numbers[2], numbers[3]];
    });
  const [flip, ...whole] = uniforms(4 * n, 0);
  const [lighting, bending, waving] = uniforms(4 * n + 1, 0);
  const far = signed(4 * n + 2, 0);
  const [much] = signed(4 * n + 3, 0);

  const { shift = 0, rotation = 0, zoom = 0, brightness = 0, probabilities = {} } = settings;
  const { gridDistortion, elastic } = settings;
  const shifts = typeof shift === 'number' ? [shift, shift] : shift;
  const hasShift = whole[0] < (probabilities.shift ?? 1);
  const hasRotation = whole[1] < (probabilities.rotation ?? 1);
  const hasZoom = whole[2] < (probabilities.zoom ?? 1);
  const hasBrightness = lighting < (probabilities.brightness ?? 1);
  const hasGrid = gridDistortion && bending < (gridDistortion.probability ?? 1);
  const hasElastic = elastic && waving < (elastic.probability ?? 1);
  return {
    flip: flip < (settings.flip ?? 0),
    shift: hasShift ? [far[0] * shifts[0] * size[0], far[1] * shifts[1] * size[1]] : [0, 0],
    radians: hasRotation ? (far[2] * rotation * Math.PI) / 180 : 0,
    zoom: hasZoom ? 1 + far[3] * zoom : 1,
    brightness: hasBrightness ? 1 + much * brightness : 1,
    lines: hasGrid
      ? lineOffsets(pairs(gridDistortion.steps ?? 5, 1), gridDistortion.limit ?? 0.3)
      : [],
    knots: hasElastic ? knotsOf(elastic, size, (count) => pairs(count, 2)) : [],
  };
}

/** Random knots so far apart that their cubic B-spline is as wide as a Gaussian of that smoothness: σ · √3. */
function knotsOf(
  { strength = 0.06, smoothness = 0.1 }: NonNullable<AugmentReferenceSettings['elastic']>,
  size: readonly number[],
  deal: (count: number) => Pair[],
): Pair[] {
  const spans = Math.max(1, Math.round(1 / (Math.sqrt(3) * smoothness)));
  return deal((spans + 3) ** 2).map(([y, x]) => [y * strength * size[0], x * strength * size[1]]);
}

/** Steps of 1 ± limit, brought back to the old sum; how far each line ends from where it was. */
function lineOffsets(steps: readonly Pair[], limit: number): Pair[] {
  const offsets: Pair[] = Array.from({ length: steps.length + 1 }, () => [0, 0]);
  for (const axis of [0, 1]) {
    const widths = steps.map((step) => 1 + limit * step[axis]);
    const total = widths.reduce((sum, width) => sum + width, 0);
    let before = 0;
    widths.forEach((width, k) => {
      offsets[k][axis] = before / total - k / steps.length;
      before += width;
    });
  }
  return offsets;
}

/** The cubic B-spline's weights of the four knots around a place t in their middle span. */
export function splineWeights(t: number): number[] {
  const s = 1 - t;
  return [s ** 3, 3 * t ** 3 - 6 * t ** 2 + 4, 3 * s ** 3 - 6 * s ** 2 + 4, t ** 3].map(
    (weight) => weight / 6,
  );
}

/** The cell of a share u in [0, 1) among `count`, and the place in it. */
function cellOf(u: number, count: number): [cell: number, t: number] {
  const cell = Math.min(Math.floor(u * count), count - 1);
  return [cell, u * count - cell];
}

/** grid(p) + elastic(p) in pixels, at shares u of the size. */
function bent({ lines, knots }: DealtImage, size: readonly number[], u: Pair): Pair {
  const offset: Pair = [0, 0];
  if (lines.length > 0) {
    for (const axis of [0, 1]) {
      const [k, t] = cellOf(u[axis], lines.length - 1);
      offset[axis] += size[axis] * ((1 - t) * lines[k][axis] + t * lines[k + 1][axis]);
    }
  }
  if (knots.length > 0) {
    const width = Math.sqrt(knots.length);
    const [row, y] = cellOf(u[0], width - 3);
    const [column, x] = cellOf(u[1], width - 3);
    splineWeights(y).forEach((down, a) =>
      splineWeights(x).forEach((along, b) => {
        const knot = knots[(row + a) * width + column + b];
        offset[0] += down * along * knot[0];
        offset[1] += down * along * knot[1];
      }),
    );
  }
  return offset;
}

/** The point of the input that output pixel (i, j) shows; with the sum of the numbers on the way to it. */
function sourceOf(
  dealt: DealtImage,
  size: readonly number[],
  outSize: readonly number[],
  pixel: Pair,
) {
  const u = pixel.map((index, axis) => (index + 0.5) / outSize[axis]) as Pair;
  const offset = bent(dealt, size, u);
  const [dy, dx] = [0, 1].map(
    (axis) =>
      ((pixel[axis] + 0.5) * size[axis]) / outSize[axis] -
      size[axis] / 2 +
      offset[axis] -
      dealt.shift[axis],
  );
  const [cos, sin] = [Math.cos(dealt.radians), Math.sin(dealt.radians)];
  const y = (cos * dy - sin * dx) / dealt.zoom;
  const x = (sin * dy + cos * dx) / dealt.zoom;
  const far = size[0] + size[1] + Math.abs(dy) + Math.abs(dx);
  return {
    point: [size[0] / 2 + y, size[1] / 2 + (dealt.flip ? -x : x)] as Pair,
    reach: far + (2 * far) / dealt.zoom,
  };
}

/** Index of pixel `at` along an axis of length n, where it lies beyond the edge. */
function insideIndex(at: number, n: number, fill: AugmentReferenceSettings['fill']): number {
  if (fill !== 'reflect') return Math.min(Math.max(at, 0), n - 1);
  const r = ((at % (2 * n)) + 2 * n) % (2 * n);
  return Math.min(r, 2 * n - 1 - r);
}

/** Channel c of image n at a point, in bytes. */
function valueAt(
  images: RefArray,
  n: number,
  point: Pair,
  c: number,
  { fill, fillValue = 0 }: AugmentReferenceSettings,
): number {
  const [, height, width, channels] = images.shape;
  const [i, j] = point.map((each) => Math.floor(each - 0.5));
  const [y, x] = [point[0] - 0.5 - i, point[1] - 0.5 - j];
  const byte = (row: number, column: number): number => {
    const place = (n * height + insideIndex(row, height, fill)) * width;
    return images.data[(place + insideIndex(column, width, fill)) * channels + c];
  };
  const seen =
    (1 - y) * ((1 - x) * byte(i, j) + x * byte(i, j + 1)) +
    y * ((1 - x) * byte(i + 1, j) + x * byte(i + 1, j + 1));
  if (fill !== 'constant') return seen;
  // All of the picture inside, none of it from half a pixel outside on.
  const [down, along] = [height, width].map((length, axis) => {
    const outside = Math.max(-point[axis], point[axis] - length, 0);
    return Math.max(1 - 2 * outside, 0);
  });
  return down * along * seen + (1 - down * along) * 255 * fillValue;
}

/**
 * `reach` adds up the numbers on the way to a point; each is the result of at most three roundings (the matrix of up to
 * twelve, but it counts for both axes and both sizes).
 */
const COORDINATE_ROUNDINGS = 3;
/** Least units that the error bound grants a magnitude: 8 + √1. */
const UNITS = 9;

export const augmentReference: Reference<AugmentReferenceOptions> = {
  forward(inputs, options) {
    const images = need(inputs, 'images');
    const [count, height, width, channels] = images.shape;
    const { size = [height, width], training = true, scale = 1 / 255 } = options;
    const { random = { seed: 7, stream: 0, draw: 0 } } = options;
    const settings = training ? (options.settings ?? {}) : {};
    const dealt = Array.from({ length: count }, (_, n) =>
      dealImage(settings, [height, width], n, random),
    );
    const white = 255 * scale;
    // A value moves by at most this much when its point moves by one pixel along one axis.
    const slope = settings.fill === 'constant' ? 2 * white : white;
    const y = fillOutput([count, ...size, channels], (flat) => {
      const c = flat % channels;
      const pixel = Math.floor(flat / channels);
      const place = pixel % (size[0] * size[1]);
      const n = Math.floor(pixel / (size[0] * size[1]));
      const { point, reach } = sourceOf(dealt[n], [height, width], size, [
        Math.floor(place / size[1]),
        place % size[1],
      ]);
      const { brightness } = dealt[n];
      const lit = valueAt(images, n, point, c, settings) * scale * brightness;
      const [mean, deviation] = [options.mean?.[c] ?? 0, options.standardDeviation?.[c] ?? 1];
      const value = (Math.min(Math.max(lit, 0), white) - mean) / deviation;
      const moved = (2 * COORDINATE_ROUNDINGS * reach * slope * brightness) / UNITS;
      return { value, magnitude: (white + Math.abs(mean) + moved) / deviation };
    });
    return { y };
  },
  /** Bytes do not move continuously: there is no gradient. */
  backward: () => ({}),
};
