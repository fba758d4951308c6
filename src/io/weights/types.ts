/* What weight files are read into, whatever program wrote them. */

export type WeightFormat = 'tilegrad' | 'keras' | 'pytorch';

export const formatNames: Readonly<Record<WeightFormat, string>> = {
  tilegrad: 'tilegrad safetensors',
  keras: 'Keras HDF5',
  pytorch: 'safetensors in PyTorch layout',
};

/** What a layer computes with its weights, as far as their shapes and names tell. */
export type LayerKind = 'filters' | 'dense' | 'norm' | 'other';

/** One tensor of a file, in the file's own layout and under the file's own name. */
export interface NamedTensor {
  name: string;
  shape: readonly number[];
  data: Float32Array;
}

export interface SourceLayer {
  /** The tensors' names without their last part. */
  name: string;
  kind: LayerKind;
  /** By the field of our layers: weight, bias, gamma, beta, runningMean, runningVariance. */
  tensors: ReadonlyMap<string, NamedTensor>;
}

export interface WeightFile {
  path: string;
  format: WeightFormat;
  /** In the order of the file. */
  layers: readonly SourceLayer[];
}

/** The kind of a layer whose fields are known. */
function kindOf(tensors: ReadonlyMap<string, { shape: readonly number[] }>): LayerKind {
  if (tensors.has('gamma') || tensors.has('runningMean')) return 'norm';
  const rank = tensors.get('weight')?.shape.length;
  if (rank === 4) return 'filters';
  return rank === 2 ? 'dense' : 'other';
}

/** Groups tensors by layer, keeping the order in which the layers begin. */
export function layersOf(
  entries: Iterable<readonly [layer: string, field: string, tensor: NamedTensor]>,
): SourceLayer[] {
  const groups = new Map<string, Map<string, NamedTensor>>();
  for (const [layer, field, tensor] of entries) {
    const group = groups.get(layer) ?? new Map<string, NamedTensor>();
    group.set(field, tensor);
    groups.set(layer, group);
  }
  return [...groups].map(([name, tensors]) => ({ name, kind: kindOf(tensors), tensors }));
}
