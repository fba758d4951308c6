import { writeSafetensors, type SavedTensor, type WritableTensor } from './safetensors.js';
import { layoutOf, toFile } from './weights/layout.js';
import type { ModelLayer } from './weights/model_layers.js';
import { layersOf, type NamedTensor, type SourceLayer } from './weights/types.js';

/*
 * Weights as torch.nn modules name and lay them out in state_dict(), in a safetensors file. What is
 * permuted: weights/layout.ts.
 */

const normFields: Readonly<Record<string, string>> = {
  weight: 'gamma',
  bias: 'beta',
  running_mean: 'runningMean',
  running_var: 'runningVariance',
};

/** Splits `layer1.0.conv1.weight` into the layer and its last part. */
export function splitName(name: string): [layer: string, field: string] {
  const at = name.lastIndexOf('.');
  return [name.slice(0, Math.max(at, 0)), name.slice(at + 1)];
}

/** The layers of a state dict of PyTorch, with the fields that ours have. */
export function pytorchLayers(tensors: readonly NamedTensor[]): SourceLayer[] {
  const norms = new Set<string>();
  for (const { name } of tensors) {
    const [layer, field] = splitName(name);
    if (field === 'running_mean' || field === 'running_var') norms.add(layer);
  }
  return layersOf(
    tensors.flatMap((tensor) => {
      const [layer, field] = splitName(tensor.name);
      // A counter that batch norm needs only where it has no momentum.
      if (field === 'num_batches_tracked') return [];
      const own = norms.has(layer) ? (normFields[field] ?? field) : field;
      return [[layer, own, tensor] as const];
    }),
  );
}

/** PyTorch's batch norm has scale and centre, or neither: what to write for one that has but one of them. */
function halfOfAffine({ kind, tensors }: ModelLayer): (readonly ['gamma' | 'beta', number])[] {
  if (kind !== 'norm' || tensors.has('gamma') === tensors.has('beta')) return [];
  return [tensors.has('gamma') ? ['beta', 0] : ['gamma', 1]];
}

/**
 * Writes a network's weights so that a torch.nn network of the same structure and names loads them
 * with `strict=True`.
 *
 * Errors: DataError if the file cannot be written.
 */
export function writePytorchSafetensors(
  path: string,
  layers: readonly ModelLayer[],
  values: ReadonlyMap<string, SavedTensor>,
): void {
  const names = new Map(Object.entries(normFields).map(([theirs, ours]) => [ours, theirs]));
  const tensors = new Map<string, WritableTensor>();
  const nameIn = (layer: ModelLayer, field: string): string =>
    layer.path === '' ? field : `${layer.path}.${field}`;
  // Counters come first, so that values of 8 bytes begin at multiples of 8.
  for (const layer of layers.filter(({ kind }) => kind === 'norm')) {
    const counter = { shape: [], data: new BigInt64Array(1) };
    tensors.set(nameIn(layer, 'num_batches_tracked'), counter);
  }
  for (const layer of layers) {
    for (const [field, value] of halfOfAffine(layer)) {
      const theirs = { shape: layer.tensors.get('runningMean')!.shape };
      const data = new Float32Array(theirs.shape[0]).fill(value);
      tensors.set(nameIn(layer, names.get(field)!), { ...theirs, data });
    }
    for (const [field, { name }] of layer.tensors) {
      const data = values.get(name)!.data as Float32Array;
      const layout = layoutOf('pytorch', layer, field);
      const theirs = layer.kind === 'norm' ? names.get(field)! : field;
      tensors.set(nameIn(layer, theirs), { shape: layout.shape, data: toFile(layout, data) });
    }
  }
  writeSafetensors(path, { tensors, metadata: { format: 'pt' } });
}
