import { DataError } from '../errors.js';
import type { SavedTensor } from '../io/safetensors.js';

/** The name of the first tensor with a value that is NaN or infinite; null if there is none. */
export function firstNonFiniteTensor(
  tensors: ReadonlyMap<string, Pick<SavedTensor, 'data'>>,
): string | null {
  for (const [name, { data }] of tensors) if (!isFinite(data)) return name;
  return null;
}

function isFinite(values: SavedTensor['data']): boolean {
  if (!(values instanceof Float32Array)) return true;
  // 0·value is 0 for finite values and NaN for all others: one sum in place of a test for each.
  let sum = 0;
  // By index: an iterator takes five times as long.
  for (let i = 0; i < values.length; i++) sum += 0 * values[i];
  return sum === 0;
}

/**
 * Refuses weights to be used that have become NaN or infinite.
 *
 * Errors: DataError naming the file and the first such tensor.
 */
export function expectFinite(
  path: string,
  weights: ReadonlyMap<string, Pick<SavedTensor, 'data'>>,
  fix: string,
  what = 'the weights are',
): void {
  const name = firstNonFiniteTensor(weights);
  if (name === null) return;
  throw new DataError(`${path}: ${what} not finite: ${name} holds NaN or infinity`, fix);
}
