import { mapWeights, readWeights, type MappingReport } from '../io/weights/index.js';
import type { Module } from '../nn/index.js';
import { checkpointIn } from './checkpoint.js';
import { expectFinite } from './finite.js';

/**
 * Starts a network from the weights of a run or in a file, as far as they fit: of this program, of Keras (.h5)
 * or in PyTorch's layout (safetensors). `input` is the shape of one image. What has no source, or
 * one of another shape, keeps its values.
 *
 * Errors: DataError where the file is unreadable, of another network or not finite; nothing is
 * changed then.
 */
export async function initFrom(
  model: Module,
  path: string,
  { input }: { input: readonly number[] },
): Promise<MappingReport> {
  const file = checkpointIn(path);
  const { values, ...report } = mapWeights(model, await readWeights(file), { input });
  expectFinite(file, values, 'begin with other weights');
  model.loadStateDict(values, { strict: false });
  return report;
}
