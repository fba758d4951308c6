import type { Device } from '../device.js';
import { DataError } from '../errors.js';
import { architectureOf, buildModule, type Architecture } from '../models/architecture.js';
import type { Module } from '../nn/index.js';
import { readSafetensors, writeSafetensors, type SavedTensor } from './safetensors.js';
import {
  anything,
  list,
  object,
  optional,
  parseChecked,
  record,
  text,
  type Schema,
} from './schema.js';

/** Of the metadata that `save` writes; a later one may hold what this version cannot read. */
const VERSION = '1';

const schema: Schema<Architecture> = object<Architecture>({
  type: text,
  options: optional(record(anything)),
  modules: optional((value, field) => list(schema)(value, field)),
});

/**
 * Writes a network to a safetensors file: its weights, and what it is made of, so that `load` needs
 * nothing else. An existing file is replaced in one step or not at all.
 *
 * **Errors** UsageError for a module of a class that is neither the library's nor registered
 * (`registerModule`); DataError if the file cannot be written.
 *
 * @example
 * await save(model, 'net.safetensors');
 * const same = await load('net.safetensors', device);
 */
export async function save(model: Module, path: string): Promise<void> {
  const metadata = architectureMetadata(model);
  const tensors = new Map<string, SavedTensor>();
  for (const [name, tensor] of model.stateDict()) {
    tensors.set(name, { shape: tensor.shape, data: await tensor.data() });
  }
  writeSafetensors(path, { tensors, metadata });
}

/**
 * What `load` finds a network by, in the metadata of any safetensors file.
 *
 * **Errors** UsageError for a module of a class that is neither the library's nor registered.
 */
export function architectureMetadata(model: Module): Record<string, string> {
  return { architecture: JSON.stringify(architectureOf(model)), architectureVersion: VERSION };
}

/**
 * The network of a file that `save` or a training run wrote, with its weights, in training mode.
 *
 * **Errors** DataError for a file that is missing, truncated, without architecture or of a later
 * version; UsageError for modules of one's own that are not registered.
 */
export async function load(path: string, device: Device): Promise<Module> {
  const { tensors, metadata } = readSafetensors(path);
  const { architecture: described, architectureVersion: version } = metadata;
  if (described === undefined) {
    throw new DataError(
      `${path}: expected a file with an architecture, but it holds weights alone`,
      'build the model first, then pass readWeights(path) to model.loadStateDict',
    );
  }
  if (version !== VERSION) {
    throw new DataError(
      `${path}: expected an architecture of version ${VERSION}, got version ${version ?? 'none'}`,
      'update the library, or save the file again with this version',
    );
  }
  const architecture = parseChecked(described, schema, { where: path, field: 'architecture' });
  const model = buildModule(device, architecture);
  const own = model.stateDict();
  // A checkpoint of a run holds the optimizer's state too.
  const weights = [...tensors].filter(([name]) => own.has(name) || !name.startsWith('optimizer/'));
  try {
    model.loadStateDict(new Map(weights));
  } catch (cause) {
    model.dispose();
    const reason = cause instanceof Error ? cause.message.split('\n')[0] : String(cause);
    throw new DataError(`${path}: its weights do not fit its architecture: ${reason}`);
  }
  return model;
}
