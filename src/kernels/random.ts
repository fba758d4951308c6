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

/**
 * The block of key and draw number that a random kernel reads, as an array the caller owns. A
 * captured step asks the stream for a new block at every replay.
 */
export function drawBlock(runtime: Runtime): GpuArray {
  const block = runtime.allocDynamic([4], 'u32');
  runtime.writeDynamic(block, () => runtime.random.next());
  return block;
}

/** The largest float32 below `value` (below its float32, where it rounds up to one). */
function floatBelow(value: number): number {
  const float = new Float32Array([value]);
  if (float[0] < value) return float[0];
  const bits = new Int32Array(float.buffer);
  // Neighbouring floats have neighbouring bits; below zero the magnitude grows.
  if (float[0] === 0) return -(2 ** -149);
  bits[0] += float[0] > 0 ? -1 : 1;
  return float[0];
}
