import { UsageError } from '../gpu/errors.js';
import type { BenchOpName } from './types.js';

/** What the numbers of a shape are, by op; the order of `--shape`. */
export const shapeLetters: Record<BenchOpName, readonly string[]> = {
  conv2d: ['N', 'H', 'W', 'C', 'K', 'R', 'stride'],
  matmul: ['M', 'K', 'N'],
  'batch-norm': ['N', 'H', 'W', 'C'],
  pool: ['N', 'H', 'W', 'C', 'R', 'stride'],
  'softmax-cross-entropy': ['N', 'K'],
  optimizer: ['tensors', 'elements'],
  train: ['N', 'H', 'W', 'C', 'classes'],
};

export type Shape = readonly number[];

const conv2dMnist: Shape[] = [
  [64, 28, 28, 1, 32, 5, 1],
  [64, 14, 14, 32, 64, 5, 1],
];

/** Every convolution of ResNet-50 and -101, whose layers differ in count alone. */
function resnetConvolutions(batch: number, image: number): Shape[] {
  const shapes: Shape[] = [[batch, image, image, 3, 64, 7, 2]];
  let size = image / 4;
  let channels = 64;
  for (const width of [64, 128, 256, 512]) {
    const isFirst = width === 64;
    const stride = isFirst ? 1 : 2;
    const after = size / stride;
    shapes.push(
      [batch, size, size, channels, width, 1, 1],
      [batch, size, size, width, width, 3, stride],
      [batch, after, after, width, 4 * width, 1, 1],
      [batch, size, size, channels, 4 * width, 1, stride],
      [batch, after, after, 4 * width, width, 1, 1],
    );
    if (!isFirst) shapes.push([batch, after, after, width, width, 3, 1]);
    size = after;
    channels = 4 * width;
  }
  // The first block's shortcut has the shape of its last convolution.
  return [...new Map(shapes.map((shape) => [shape.join(), shape])).values()];
}

/** Suites by op; the first is the default on a software adapter, the second on others. */
export const suites: Record<Exclude<BenchOpName, 'train'>, Record<string, readonly Shape[]>> = {
  conv2d: {
    quick: [
      [16, 28, 28, 1, 32, 5, 1],
      [8, 16, 16, 32, 64, 3, 1],
      [8, 16, 16, 64, 64, 1, 1],
    ],
    resnet: [...resnetConvolutions(8, 224), ...resnetConvolutions(64, 32)],
    mnist: conv2dMnist,
    facts: [
      [32, 32, 32, 64, 64, 3, 1],
      [8, 16, 16, 256, 256, 3, 1],
      [8, 16, 16, 64, 256, 1, 1],
      [32, 28, 28, 1, 32, 5, 1],
      [32, 14, 14, 32, 64, 5, 1],
    ],
  },
  matmul: {
    quick: [
      [64, 784, 128],
      [256, 256, 256],
    ],
    square: [256, 512, 1024, 2048, 4096].map((n) => [n, n, n]),
    mnist: [
      [64, 3136, 1024],
      [64, 1024, 10],
    ],
  },
  'batch-norm': {
    quick: [
      [16, 16, 16, 32],
      [64, 7, 7, 64],
    ],
    resnet: [
      [8, 112, 112, 64],
      [8, 56, 56, 256],
      [8, 28, 28, 512],
      [8, 14, 14, 1024],
      [8, 7, 7, 2048],
    ],
  },
  pool: {
    quick: [
      [16, 28, 28, 32, 2, 2],
      [8, 15, 15, 16, 3, 2],
    ],
    resnet: [[8, 112, 112, 64, 3, 2]],
    mnist: [
      [64, 28, 28, 32, 2, 2],
      [64, 14, 14, 64, 2, 2],
    ],
  },
  'softmax-cross-entropy': {
    quick: [
      [64, 10],
      [64, 1000],
    ],
    large: [
      [64, 10],
      [1024, 1000],
      [4096, 10000],
    ],
    mnist: [[64, 10]],
  },
  optimizer: {
    quick: [[8, 16384]],
    resnet: [[161, 158745]],
    mnist: [[8, 409329]],
  },
};

/**
 * The shapes a request means: its own one, a suite's, or the default suite's.
 *
 * Errors: UsageError for an unknown suite, or numbers that are not the op's.
 */
export function shapesOf(
  op: Exclude<BenchOpName, 'train'>,
  request: { suite?: string | undefined; shape?: string | undefined },
  isSoftware: boolean,
): readonly Shape[] {
  if (request.shape !== undefined) return [parseShape(op, request.shape)];
  const known = suites[op];
  const names = Object.keys(known);
  const name = request.suite ?? names[isSoftware ? 0 : 1];
  if (Object.hasOwn(known, name)) return known[name];
  throw new UsageError(
    `bench ${op}: no suite named "${name}"; there are ${names.join(', ')}`,
    `or give a shape of your own: --shape ${shapeLetters[op].join(',')}`,
  );
}

export function parseShape(op: BenchOpName, text: string): Shape {
  const letters = shapeLetters[op];
  const values = text.split(',').map((part) => (part.trim() === '' ? NaN : Number(part)));
  const isWhole = values.every((value) => Number.isSafeInteger(value) && value > 0);
  if (isWhole && values.length === letters.length) return values;
  throw new UsageError(
    `bench ${op}: --shape takes ${letters.length} positive whole numbers ${letters.join(',')}, got "${text}"`,
  );
}
