import type { GpuArray } from '../gpu/array.js';
import type { Runtime } from '../gpu/runtime.js';
import { drawBlock } from './random.js';

const WORKGROUP = 64;
/** Entries of an image's table before lines and knots: matrix, shift, brightness. */
const FIXED_ENTRIES = 4;

export const augmentVariants = ['naive', 'pixel'] as const;
export type AugmentVariant = (typeof augmentVariants)[number];

/** Probability and largest amount of one displacement. */
interface Dealt {
  probability: number;
  most: number;
}

/** How images are displaced, with every default filled in. A probability of 0 turns a part off. */
export interface AugmentRule {
  /** Probability. */
  flip: number;
  /** Shares of height and width. */
  shift: { probability: number; height: number; width: number };
  /** Radians, at most π. */
  rotation: Dealt;
  zoom: Dealt;
  brightness: Dealt;
  /** `limit`: largest change of a step's width, as a share of it. */
  grid: { probability: number; limit: number; steps: number };
  /** `strength`: farthest displacement, as a share of the size; `spans`: cells of knots an axis. */
  elastic: { probability: number; strength: number; spans: number };
  fill: 'nearest' | 'constant' | 'reflect';
  /** Between 0, black, and 1, white. */
  fillValue: number;
}

interface AugmentRequest {
  /** Height and width of the result. */
  size: readonly [number, number];
  /** null only resizes. */
  rule: AugmentRule | null;
  scale: number;
  /** One number for each channel. */
  mean: readonly number[];
  standardDeviation: readonly number[];
  variant?: AugmentVariant | undefined;
}

/**
 * Converts byte images to floats: resizes, displaces by the next draw of the device's stream, and
 * normalises; images u8 [N h w C] → f32 [N H W C], C at most 4. The caller owns the result.
 */
export function augmentArray(
  runtime: Runtime,
  images: GpuArray,
  request: AugmentRequest,
): GpuArray {
  const { rule, size, scale } = request;
  const [count, height, width, channels] = images.shape;
  const grid = rule && rule.grid.probability > 0 ? rule.grid.steps : 0;
  const spans = rule && rule.elastic.probability > 0 ? rule.elastic.spans : 0;
  const layout = { steps: grid, spans, entries: entriesOf(grid, spans) };
  const table = rule ? drawTable(runtime, images, rule, layout) : runtime.alloc([1, 2]);
  const y = runtime.alloc([count, ...size, channels]);
  const variant = request.variant ?? chooseVariant();
  const threads = variant === 'pixel' ? y.size / channels : y.size;
  runtime.dispatch({
    shader: `augment_${variant}`,
    op: 'augment',
    constants: { DISPLACED: rule !== null, FILL: rule ? fillNumbers[rule.fill] : 0 },
    bindings: { x: images, table, y },
    params: {
      mean: lanes(request.mean, 0),
      inverse_deviation: lanes(
        request.standardDeviation.map((deviation) => 1 / deviation),
        1,
      ),
      in_size: [height, width],
      out_size: size,
      ratio: [height / size[0], width / size[1]],
      share: [1 / size[0], 1 / size[1]],
      channels,
      size: threads,
      ...layout,
      scale,
      most: 255 * Math.fround(scale),
      fill_value: 255 * (rule?.fillValue ?? 0),
    },
    groups: Math.ceil(threads / WORKGROUP),
    flops: augmentFlops(y.size, channels),
    bytes: images.byteLength + y.byteLength,
  });
  table.release();
  return y;
}

/** Three interpolations, brightness and scale per value; about 30 for the source of a pixel. */
export function augmentFlops(size: number, channels: number): number {
  return 13 * size + (30 * size) / channels;
}

const fillNumbers: Record<AugmentRule['fill'], number> = { nearest: 0, constant: 1, reflect: 2 };

/** Finding a pixel's source is most of the work, and all its channels share it. */
function chooseVariant(): AugmentVariant {
  return 'pixel';
}

function entriesOf(steps: number, spans: number): number {
  const lines = steps > 0 ? steps + 1 : 0;
  const knots = spans > 0 ? (spans + 3) ** 2 : 0;
  return FIXED_ENTRIES + lines + knots;
}

/** The random numbers of every image as pairs (y, x), [N entries 2]. */
function drawTable(
  runtime: Runtime,
  images: GpuArray,
  rule: AugmentRule,
  layout: { steps: number; spans: number; entries: number },
): GpuArray {
  const [count, height, width] = images.shape;
  const { flip, shift, rotation, zoom, brightness, grid, elastic } = rule;
  const block = drawBlock(runtime);
  const table = runtime.alloc([count, layout.entries, 2]);
  const size = count * layout.entries;
  runtime.dispatch({
    shader: 'augment_draw',
    op: 'augment draw',
    bindings: { block, table },
    params: {
      thresholds: [flip, shift.probability, rotation.probability, zoom.probability].map(threshold),
      more_thresholds: [brightness.probability, grid.probability, elastic.probability, 0].map(
        threshold,
      ),
      shift: [shift.height * height, shift.width * width],
      elastic: [elastic.strength * height, elastic.strength * width],
      rotation: rotation.most,
      zoom: zoom.most,
      brightness: brightness.most,
      limit: grid.limit,
      ...layout,
      size,
    },
    groups: Math.ceil(size / WORKGROUP),
    bytes: table.byteLength,
  });
  block.release();
  return table;
}

/** Threshold for the upper 24 bits of a random word, which lie below it with this probability. */
function threshold(probability: number): number {
  return Math.ceil(probability * 2 ** 24);
}

function lanes(values: readonly number[], rest: number): number[] {
  return Array.from({ length: 4 }, (_, lane) => values[lane] ?? rest);
}
