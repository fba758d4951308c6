import { GradError } from '../errors.js';
import { type GpuArray, sizeOf } from '../gpu/array.js';
import type { Runtime } from '../gpu/runtime.js';

const WORKGROUP = 64;

/** How random numbers are distributed. */
export type RandomRule =
  /** Evenly over [low, high). */
  | { readonly kind: 'uniform'; readonly low: number; readonly high: number }
  | { readonly kind: 'normal'; readonly mean: number; readonly standardDeviation: number }
  /** Normal, drawn again until within two standard deviations of the mean. */
  | { readonly kind: 'truncatedNormal'; readonly mean: number; readonly standardDeviation: number };

/** A new f32 array of random numbers, the next draw of the device's stream. */
export function randomArray(
  runtime: Runtime,
  shape: readonly number[],
  rule: RandomRule,
): GpuArray {
  const values = runtime.alloc(shape, 'f32');
  const block = drawBlock(runtime);
  const quads = Math.ceil(sizeOf(shape) / 4);
  const isUniform = rule.kind === 'uniform';
  runtime.dispatch({
    shader: isUniform ? 'random_uniform' : 'random_normal',
    op: `random ${rule.kind}`,
    ...(isUniform ? {} : { constants: { TRUNCATED: rule.kind === 'truncatedNormal' } }),
    bindings: { block, values },
    params: isUniform
      ? {
          quads,
          low: rule.low,
          range: rule.high - rule.low,
          below_high: floatBelow(rule.high),
        }
      : { quads, mean: rule.mean, deviation: rule.standardDeviation },
    groups: Math.ceil(quads / WORKGROUP),
    bytes: 4 * sizeOf(shape),
  });
  block.release();
  return values;
}

/** Blocks being recorded by keepDraws, and blocks being replayed by repeatDraws. */
let kept: GpuArray[] | null = null;
let repeated: Iterator<GpuArray> | null = null;

/**
 * The key and draw number that a random kernel reads, as an array the caller owns. A captured step gets
 * a new block at every replay.
 */
export function drawBlock(runtime: Runtime): GpuArray {
  const block = repeated ? nextOf(repeated) : newBlock(runtime);
  kept?.push(block.retain());
  return block;
}

function newBlock(runtime: Runtime): GpuArray {
  const block = runtime.allocDynamic([4], 'u32');
  runtime.writeDynamic(block, () => runtime.random.next());
  return block;
}

function nextOf(draws: Iterator<GpuArray>): GpuArray {
  const next = draws.next();
  if (!next.done) return next.value.retain();
  throw new GradError(
    'recompute: a segment drew more random numbers when backward ran it again',
    'it must do the same both times',
  );
}

/** Runs `fn` and adds a reference to every block it draws to `draws`, for the caller to release. */
export function keepDraws<T>(draws: GpuArray[], fn: () => T): T {
  const before = kept;
  kept = draws;
  try {
    return fn();
  } finally {
    kept = before;
  }
}

/** Runs `fn` with blocks that were drawn before, in place of the stream's next ones. */
export function repeatDraws<T>(draws: readonly GpuArray[], fn: () => T): T {
  const before = repeated;
  repeated = draws.values();
  try {
    return fn();
  } finally {
    repeated = before;
  }
}

/** The largest float32 below `value`. */
function floatBelow(value: number): number {
  const float = new Float32Array([value]);
  if (float[0] < value) return float[0];
  const bits = new Int32Array(float.buffer);
  // Neighbouring floats have neighbouring bits; below zero the magnitude grows.
  if (float[0] === 0) return -(2 ** -149);
  bits[0] += float[0] > 0 ? -1 : 1;
  return float[0];
}
