import { UsageError } from '../errors.js';
import { suites } from './suites.js';
import type { BenchOpName } from './types.js';

/** What the numbers of a shape are, by op; the order of `--shape`. */
export const shapeLetters: Record<BenchOpName, readonly string[]> = {
  conv2d: ['N', 'H', 'W', 'C', 'K', 'R', 'stride'],
  matmul: ['M', 'K', 'N'],
  'batch-norm': ['N', 'H', 'W', 'C'],
  pool: ['N', 'H', 'W', 'C', 'R', 'stride'],
  reduce: ['B', 'M', 'K'],
  'softmax-cross-entropy': ['N', 'K'],
  optimizer: ['tensors', 'elements'],
  train: ['N', 'H', 'W', 'C', 'classes'],
};

/** The numbers of a shape, in the order of its letters. */
export type Shape = readonly number[];

/** What the words after the numbers of a convolution say. */
export interface ConvolutionWords {
  /** 'same' where no word says otherwise, as nearly every layer of the networks here has. */
  padding: 'same' | 'valid' | number;
  isDepthwise: boolean;
}

/**
 * The shapes a request means, as texts: its own one, a suite's, or the default suite's.
 *
 * Errors: UsageError for an unknown suite, or a shape that is not the op's.
 */
export function shapesOf(
  op: Exclude<BenchOpName, 'train'>,
  request: { suite?: string | undefined; shape?: string | undefined },
  isSoftware: boolean,
): readonly string[] {
  if (request.shape !== undefined) return [canonical(op, request.shape)];
  const known = suites[op];
  const names = Object.keys(known);
  const name = request.suite ?? names[isSoftware ? 0 : 1];
  if (Object.hasOwn(known, name)) return known[name];
  throw new UsageError(
    `bench ${op}: no suite named "${name}"; there are ${names.join(', ')}`,
    `or give a shape of your own: --shape ${shapeLetters[op].join(',')}`,
  );
}

/**
 * The numbers of a shape.
 *
 * Errors: UsageError for numbers or words that are not the op's.
 */
export function parseShape(op: BenchOpName, text: string): Shape {
  const { numbers, words } = split(op, text);
  if (op === 'conv2d') readWords(words, numbers, text);
  return numbers;
}

/** Errors: UsageError as `parseShape`. */
export function convolutionWords(text: string): ConvolutionWords {
  const { numbers, words } = split('conv2d', text);
  return readWords(words, numbers, text);
}

/** The same shape with another batch, and with other edges of the image where they are given. */
export function resized(op: BenchOpName, text: string, batch: number, edges?: Shape): string {
  const { numbers, words } = split(op, text);
  const rest = edges ? [...edges, ...numbers.slice(1 + edges.length)] : numbers.slice(1);
  return [batch, ...rest, ...words].join();
}

/** As it is printed: without spaces, and without words that change nothing. */
function canonical(op: BenchOpName, text: string): string {
  const numbers = parseShape(op, text);
  const words = split(op, text).words.filter((word) => word !== 'same');
  return [...numbers, ...words].join();
}

function split(op: BenchOpName, text: string): { numbers: Shape; words: string[] } {
  const letters = shapeLetters[op];
  const parts = text.split(',').map((part) => part.trim());
  const values = parts
    .slice(0, letters.length)
    .map((part) => (/^\d+$/.test(part) ? Number(part) : NaN));
  const words = parts.slice(letters.length);
  const isWhole = values.every((value) => Number.isSafeInteger(value) && value > 0);
  if (isWhole && values.length === letters.length && (op === 'conv2d' || words.length === 0)) {
    return { numbers: values, words };
  }
  throw new UsageError(
    `bench ${op}: --shape takes ${letters.length} positive whole numbers ${letters.join(',')}, got "${text}"`,
    op === 'conv2d' ? WORDS : undefined,
  );
}

const WORDS =
  "after the numbers may stand valid or pad<P> (else padding is 'same'), and depthwise: 16,19,19,256,512,4,1,valid";

function readWords(words: readonly string[], numbers: Shape, text: string): ConvolutionWords {
  const found: ConvolutionWords = { padding: 'same', isDepthwise: false };
  const kinds = new Set<string>();
  for (const word of words) {
    const pad = /^pad(\d{1,4})$/.exec(word);
    if (word === 'depthwise') found.isDepthwise = true;
    else if (word === 'same' || word === 'valid') found.padding = word;
    else if (pad) found.padding = Number(pad[1]);
    else throw new UsageError(`bench conv2d: "${word}" in --shape "${text}" is unknown`, WORDS);
    kinds.add(word === 'depthwise' ? 'depthwise' : 'padding');
  }
  if (kinds.size < words.length) {
    throw new UsageError(`bench conv2d: --shape "${text}" says the same thing twice`, WORDS);
  }
  const [, , , c, k] = numbers;
  if (found.isDepthwise && k % c !== 0) {
    throw new UsageError(
      `bench conv2d: a depthwise convolution has K filters that are a multiple of C, got C=${c} and K=${k} in "${text}"`,
    );
  }
  return found;
}
