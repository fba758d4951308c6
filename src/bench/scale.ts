import { opCases } from './op_cases.js';
import { parseShape, resized } from './shapes.js';
import { directions, type BenchOpName } from './types.js';

/*
 * `--scale small`: a suite with smaller batches. The shapes that come out are the same on every
 * machine, so that their measurements can be compared; that they end in time is estimated for a
 * software adapter on two cores.
 */

/** What a suite may take by the estimate: five minutes less what peaks and compiling may add. */
const BUDGET_SECONDS = 240;
/**
 * What one shape and direction took on llvmpipe, all its kernels together with their warm-up and
 * comparison: the naive kernel, at 2 to 4 GFLOP/s, most of it.
 */
const SECONDS = { each: 0.8, gflop: 4, gbyte: 12 };
/** The gradient of an image of few channels fills a small part of a tile. */
const NARROW_CHANNELS = 16;
const NARROW_FACTOR = 8;
/** Images are not made smaller than this. */
const LEAST_EDGE = 8;

/** How many seconds a suite may take on a software adapter, all directions and kernels. */
export function estimateSeconds(op: BenchOpName, shapes: readonly string[]): number {
  if (op === 'train' || op === 'optimizer') return 0;
  const { directions: available, build } = opCases[op];
  let seconds = 0;
  for (const shape of shapes) {
    for (const direction of directions.filter((one) => available.includes(one))) {
      const { flops, bytes } = build(shape, direction, 'f32').cost;
      const channels = parseShape(op, shape)[3];
      const isNarrow = op === 'conv2d' && direction === 'grad-input' && channels < NARROW_CHANNELS;
      seconds += SECONDS.each + (isNarrow ? NARROW_FACTOR : 1) * SECONDS.gflop * (flops / 1e9);
      seconds += SECONDS.gbyte * (bytes / 1e9);
    }
  }
  return seconds;
}

export interface ScaledSuite {
  shapes: string[];
  /** What was made smaller, in words. */
  notes: string[];
}

/**
 * Halves the batches of all shapes together until the suite fits the time, each down to one at the
 * least. Where that is not enough the images of the longest shape are halved too, which is said.
 */
export function shrinkSuite(
  op: Exclude<BenchOpName, 'train' | 'optimizer'>,
  suite: readonly string[],
): ScaledSuite {
  const batchOf = (shape: string): number => parseShape(op, shape)[0];
  const largest = Math.max(...suite.map(batchOf));
  const divided = (divisor: number): string[] => [
    ...new Set(
      suite.map((shape) => resized(op, shape, Math.max(1, Math.floor(batchOf(shape) / divisor)))),
    ),
  ];
  let divisor = 1;
  let shapes = divided(divisor);
  while (estimateSeconds(op, shapes) > BUDGET_SECONDS && divisor < largest) {
    divisor *= 2;
    shapes = divided(divisor);
  }
  const notes: string[] = [];
  if (divisor > 1) notes.push(`batches divided by ${divisor}, none below 1`);
  while (estimateSeconds(op, shapes) > BUDGET_SECONDS) {
    const times = shapes.map((shape) => estimateSeconds(op, [shape]));
    const longest = shapes[times.indexOf(Math.max(...times))];
    const smaller = withHalfImage(op, longest);
    if (smaller === null) break;
    notes.push(`the images of ${longest} had to shrink too: ${smaller} runs instead`);
    shapes = [...new Set(shapes.map((shape) => (shape === longest ? smaller : shape)))];
  }
  return { shapes, notes };
}

function withHalfImage(op: BenchOpName, shape: string): string | null {
  if (op === 'matmul' || op === 'softmax-cross-entropy') return null;
  const [n, h, w] = parseShape(op, shape);
  if (Math.min(h, w) < 2 * LEAST_EDGE) return null;
  return resized(op, shape, n, [Math.ceil(h / 2), Math.ceil(w / 2)]);
}
