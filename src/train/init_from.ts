import { mapWeights, readWeights, type Mapping, type WeightFile } from '../io/weights/index.js';
import type { Module } from '../nn/index.js';
import { checkpointIn } from './checkpoint.js';
import { expectFinite } from './finite.js';

/**
 * The weights of a run folder or in a file: of this program, of Keras (.h5) or in PyTorch's layout
 * (safetensors).
 *
 * Errors: DataError if there are none, or the file is unreadable or of another kind.
 */
export function readInitialWeights(path: string): Promise<WeightFile> {
  return readWeights(checkpointIn(path));
}

/**
 * Starts a network from weights, or from those that `readInitialWeights` finds, as far as they fit.
 * `input` is the shape of one image. What has no source, or one of another shape, keeps its values.
 *
 * Errors: DataError if the file is unreadable, of another network or not finite; nothing is
 * changed then.
 */
export async function initFrom(
  model: Module,
  source: string | WeightFile,
  { input }: { input: readonly number[] },
): Promise<Mapping> {
  const file = typeof source === 'string' ? await readInitialWeights(source) : source;
  const mapping = mapWeights(model, file, { input });
  expectFinite(file.path, mapping.values, 'begin with other weights');
  model.loadStateDict(mapping.values, { strict: false });
  return mapping;
}
