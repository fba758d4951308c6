import { DataError } from '../../errors.js';
import type { Module, StateValue } from '../../nn/index.js';
import { fromFile, layoutOf } from './layout.js';
import { modelLayers, type ModelLayer } from './model_layers.js';
import { pairLayers, type LayerPair, type MatchedBy } from './pairing.js';
import { formatNames, type NamedTensor, type WeightFile, type WeightFormat } from './types.js';

/** What a network takes from a file, and what not. Shapes are those in the file's layout. */
export interface MappingReport {
  path: string;
  format: WeightFormat;
  matched: { name: string; from: string; by: MatchedBy }[];
  /** Names of the network that keep the values they have, since the file has none for them. */
  missing: string[];
  /** Names in the file that are not taken. */
  unused: string[];
  /** Found, but of another shape; they keep the values they have. */
  mismatched: { name: string; from: string; expected: number[]; came: number[] }[];
}

export interface Mapping extends MappingReport {
  /** By the network's names and in its layout. */
  values: Map<string, StateValue>;
}

/**
 * Finds the values of a network's parameters and running statistics in a file. `input` is the shape
 * of one image: PyTorch flattens images in another order, which is put right here.
 *
 * A layer is taken whole or not at all: where its weights do not fit, its bias stays too.
 *
 * Errors: DataError if the file is of another network: fewer than half of the layers fit, or a
 * convolution or batch norm between others that fit does not.
 */
export function mapWeights(
  model: Module,
  file: WeightFile,
  { input }: { input: readonly number[] },
): Mapping {
  const layers = modelLayers(model, file.format === 'pytorch' ? input : null);
  const pairs = new Map(pairLayers(layers, file).map((pair) => [pair.target, pair]));
  const { path, format } = file;
  const mapping: Mapping = {
    ...{ path, format, matched: [], missing: [], unused: [], mismatched: [] },
    values: new Map(),
  };
  const fitting = new Set<ModelLayer>();
  const taken = new Set<string>();
  for (const layer of layers) {
    const pair = pairs.get(layer);
    if (pair) {
      if (takeLayer(pair, mapping, taken)) fitting.add(layer);
    } else mapping.missing.push(...[...layer.tensors.values()].map(({ name }) => name));
  }
  for (const { tensors } of file.layers) {
    for (const { name } of tensors.values()) if (!taken.has(name)) mapping.unused.push(name);
  }
  if (isAnotherNetwork(layers, fitting)) throw anotherNetwork(layers, file, fitting, pairs);
  return mapping;
}

/** Takes over what fits; false where the layer's main tensor, the first, does not. */
function takeLayer(pair: LayerPair, mapping: Mapping, taken: Set<string>): boolean {
  const { target, by } = pair;
  const source = { tensors: affineTensors(pair, mapping.path, taken) };
  let fits = true;
  for (const [i, [field, { name, shape }]] of [...target.tensors].entries()) {
    const tensor = fits ? source.tensors.get(field) : undefined;
    if (!tensor) {
      mapping.missing.push(name);
      fits &&= i > 0;
      continue;
    }
    const { name: from } = tensor;
    taken.add(from);
    const layout = layoutOf(mapping.format, target, field);
    if (layout.shape.join() === tensor.shape.join()) {
      mapping.matched.push({ name, from, by });
      mapping.values.set(name, { shape, data: fromFile(layout, tensor.data) });
    } else {
      const shapes = { expected: [...layout.shape], came: [...tensor.shape] };
      mapping.mismatched.push({ name, from, ...shapes });
      fits &&= i > 0;
    }
  }
  return fits;
}

const neutral = [
  ['gamma', 1, 'scale'],
  ['beta', 0, 'centre'],
] as const;

/**
 * The tensors of a source. A batch norm without a scale, or without a centre, does what one with 1, or 0,
 * does, so these stand in for what either side lacks.
 *
 * Errors: DataError if the network has no place for a scale or centre that changes something, or the
 * file does not say which of the two it holds.
 */
function affineTensors(
  { target, source }: LayerPair,
  path: string,
  taken: Set<string>,
): ReadonlyMap<string, NamedTensor> {
  if (target.kind !== 'norm') return source.tensors;
  const tensors = new Map(source.tensors);
  const either = tensors.get('scaleOrCenter');
  if (either) {
    if (target.tensors.has('gamma') && target.tensors.has('beta')) {
      throw new DataError(
        `${path}: ambiguous: ${either.name} is the scale or the centre of a batch norm without the other`,
        'build the network with scale: false or center: false there',
      );
    }
    tensors.set(target.tensors.has('gamma') ? 'gamma' : 'beta', either);
  }
  const statistic = tensors.get('runningMean');
  for (const [field, value, word] of neutral) {
    const tensor = tensors.get(field);
    if (target.tensors.has(field)) {
      if (tensor || !statistic) continue;
      const data = new Float32Array(statistic.data.length).fill(value);
      tensors.set(field, { name: `${value} for no ${word}`, shape: statistic.shape, data });
    } else if (tensor) {
      if (tensor.data.some((each) => each !== value)) {
        throw new DataError(
          `${path}: ${tensor.name} is a ${word} that the model's ${target.path} is built without`,
          `build it with ${field === 'gamma' ? 'scale' : 'center'}: true`,
        );
      }
      taken.add(tensor.name);
    }
  }
  return tensors;
}

function isAnotherNetwork(
  layers: readonly ModelLayer[],
  fitting: ReadonlySet<ModelLayer>,
): boolean {
  if (fitting.size * 2 < layers.length) return true;
  const trunk = layers.filter(({ kind }) => kind === 'filters' || kind === 'norm');
  const first = trunk.findIndex((layer) => fitting.has(layer));
  const last = trunk.findLastIndex((layer) => fitting.has(layer));
  return trunk.slice(Math.max(first, 0), last + 1).some((layer) => !fitting.has(layer));
}

const MOST_DIFFERENCES = 3;

function anotherNetwork(
  layers: readonly ModelLayer[],
  file: WeightFile,
  fitting: ReadonlySet<ModelLayer>,
  pairs: ReadonlyMap<ModelLayer, LayerPair>,
): DataError {
  const differences = layers
    .filter((layer) => !fitting.has(layer))
    .slice(0, MOST_DIFFERENCES)
    .map((layer) => {
      const [field, { name }] = [...layer.tensors][0];
      const came = pairs.get(layer)?.source.tensors.get(field);
      const found = came ? `${came.name} is ${shapeText(came.shape)}` : 'the file has none';
      return `${name} is ${shapeText(layoutOf(file.format, layer, field).shape)}, ${found}`;
    });
  const wanted = kindsText(layers);
  return new DataError(
    `${file.path} (${formatNames[file.format]}): weights of another network: it has ${kindsText(file.layers)}; ` +
      `the model has ${wanted}, of which ${fitting.size} fit; ${differences.join('; ')}`,
    'choose the --model and --input that the weights were trained with',
  );
}

/** `20 convolutions, 20 batch norms and 1 dense layer`. */
function kindsText(layers: readonly { kind: string }[]): string {
  const names = {
    filters: 'convolution',
    norm: 'batch norm',
    dense: 'dense layer',
    other: 'other layer',
  };
  const parts = Object.entries(names).flatMap(([kind, name]) => {
    const count = layers.filter((layer) => layer.kind === kind).length;
    return count === 0 ? [] : [`${count} ${name}${count === 1 ? '' : 's'}`];
  });
  const last = parts.pop();
  return parts.length === 0 ? (last ?? 'no layers') : `${parts.join(', ')} and ${last}`;
}

export function shapeText(shape: readonly number[]): string {
  return `[${shape.join(', ')}]`;
}
