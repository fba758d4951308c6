import { DataError } from '../../errors.js';
import { layoutOf } from './layout.js';
import { kerasNames } from './keras_names.js';
import type { ModelLayer } from './model_layers.js';
import { isSortedAsText, naturalOrder, numberedOrder, wordOrders } from './orders.js';
import { prefixesOf } from './prefix.js';
import type { SourceLayer, WeightFile } from './types.js';

/** What a layer of the file was recognised by. */
export type MatchedBy = 'name' | 'naming' | 'order';

export interface LayerPair {
  target: ModelLayer;
  source: SourceLayer;
  by: MatchedBy;
}

/**
 * Finds for each layer of a network its source in a file: by equal names, then by the names that
 * Keras' own networks have, then, for each kind of layer, by order where shapes agree all along.
 *
 * Errors: DataError if names decide nothing and two orders fit.
 */
export function pairLayers(targets: readonly ModelLayer[], file: WeightFile): LayerPair[] {
  const pairs: LayerPair[] = byEqualNames(targets, file);
  if (file.format === 'keras') {
    const [others, rest] = remaining(targets, file, pairs);
    pairs.push(...byNames(others, namedSources(rest), kerasNames, 'naming'));
  }
  return [...pairs, ...byOrder(...remaining(targets, file, pairs))];
}

function remaining(
  targets: readonly ModelLayer[],
  file: WeightFile,
  pairs: readonly LayerPair[],
): [ModelLayer[], WeightFile] {
  const taken = new Set<unknown>(pairs.flatMap(({ target, source }) => [target, source]));
  const layers = file.layers.filter((layer) => !taken.has(layer));
  return [targets.filter((layer) => !taken.has(layer)), { ...file, layers }];
}

/** By the names that the file and the network have without what stands before all of them. */
function byEqualNames(targets: readonly ModelLayer[], file: WeightFile): LayerPair[] {
  const prefixes = file.format === 'keras' ? { own: '', file: '' } : prefixesOf(targets, file);
  const sources = namedSources(file, prefixes.file);
  const pairs = byNames(targets, sources, ({ path }) => [path.slice(prefixes.own.length)], 'name');
  // Numbers are places in a list: they name the same layers only where all of them agree.
  const areNumbers = [...sources.keys()].every((name) => /^\d+(\.\d+)*$/.test(name));
  return areNumbers && (pairs.length < sources.size || pairs.length < targets.length) ? [] : pairs;
}

/** The layers of a file whose names begin with a prefix, by what follows it. */
function namedSources({ format, layers }: WeightFile, prefix = ''): Map<string, SourceLayer> {
  const sources = new Map<string, SourceLayer>();
  for (const source of layers) {
    if (!source.name.startsWith(prefix)) continue;
    // Keras may have the names of surrounding networks before a layer's own.
    const name = format === 'keras' ? source.name.split('/').at(-1)! : source.name;
    const bare = name.slice(prefix.length);
    if (!sources.has(bare)) sources.set(bare, source);
  }
  return sources;
}

function byNames(
  targets: readonly ModelLayer[],
  sources: ReadonlyMap<string, SourceLayer>,
  namesOf: (target: ModelLayer) => readonly string[],
  by: MatchedBy,
): LayerPair[] {
  return targets.flatMap((target): LayerPair[] => {
    for (const name of namesOf(target)) {
      const source = sources.get(name);
      if (source?.kind === target.kind) return [{ target, source, by }];
    }
    return [];
  });
}

/** By the order under which most layers fit, where no other fits as many in another way. */
function byOrder(targets: readonly ModelLayer[], file: WeightFile): LayerPair[] {
  let best = new Map<ModelLayer, LayerPair>();
  let rival: LayerPair | undefined;
  for (const order of ordersOf(targets, file)) {
    const pairs = pairedInOrder(targets, order, file.format);
    if (pairs.length > best.size) {
      best = new Map(pairs.map((pair) => [pair.target, pair]));
      rival = undefined;
    } else if (pairs.length === best.size) {
      rival ??= pairs.find(({ target, source }) => {
        const pair = best.get(target);
        return pair && pair.source !== source;
      });
    }
  }
  if (!rival) return [...best.values()];
  const { target, source } = rival;
  throw new DataError(
    `${file.path}: ambiguous: its names are not the model's, and by order and shape ${target.path} may be ` +
      `${best.get(target)!.source.name} or ${source.name}`,
    'save it under the names of the model: `tilegrad summary MODEL` lists them',
  );
}

/** The orders in which the layers of a file may be meant. */
function* ordersOf(
  targets: readonly ModelLayer[],
  { layers, format }: WeightFile,
): Generator<readonly SourceLayer[]> {
  if (!isSortedAsText(layers)) {
    yield layers;
    // Keras lists its layers in the order in which they were made, whatever they are called.
    if (format !== 'keras') yield numberedOrder(layers);
    if (pairedInOrder(targets, layers, format).length === targets.length) return;
  }
  if (format === 'keras') yield interleaved(targets, layers);
  yield* wordOrders(layers);
}

function pairedInOrder(
  targets: readonly ModelLayer[],
  order: readonly SourceLayer[],
  format: WeightFile['format'],
): LayerPair[] {
  return (['filters', 'norm', 'dense'] as const).flatMap((kind) => {
    const wanted = targets.filter((layer) => layer.kind === kind);
    const sources = order.filter((layer) => layer.kind === kind);
    if (!agree(wanted, sources, format)) return [];
    return wanted.map((target, i): LayerPair => ({ target, source: sources[i], by: 'order' }));
  });
}

/**
 * Layers in their natural order, but filters of depthwise layers and of others, each in their order, in the
 * places that the network has for them: Keras 3 numbers them apart, `conv2d_1` and `depthwise_conv2d_1`.
 */
function interleaved(
  targets: readonly ModelLayer[],
  layers: readonly SourceLayer[],
): SourceLayer[] {
  const sorted = naturalOrder(layers);
  const filters = sorted.filter(({ kind }) => kind === 'filters');
  const depthwise = filters.filter(({ name }) => name.includes('depthwise'));
  const others = filters.filter((source) => !depthwise.includes(source));
  const wanted = targets.filter(({ kind }) => kind === 'filters');
  return [
    ...wanted.flatMap(({ isDepthwise }) => (isDepthwise ? depthwise : others).shift() ?? []),
    ...sorted.filter(({ kind }) => kind !== 'filters'),
  ];
}

/**
 * Whether two sequences of layers have the same shapes. What goes in at the first convolution and
 * what comes out of the last dense layer may differ: channels and classes belong to the data.
 */
function agree(
  targets: readonly ModelLayer[],
  sources: readonly SourceLayer[],
  format: WeightFile['format'],
): boolean {
  if (targets.length !== sources.length || targets.length === 0) return false;
  return targets.every((target, i) => {
    const field = target.kind === 'norm' ? 'runningMean' : 'weight';
    const expected = [...layoutOf(format, target, field).shape];
    const came = [...(sources[i].tensors.get(field)?.shape ?? [])];
    const free = freeAxis(target, i, targets.length, format);
    if (free !== null && came.length === expected.length) came[free] = expected[free];
    return came.join() === expected.join();
  });
}

function freeAxis(
  { kind }: ModelLayer,
  index: number,
  count: number,
  format: WeightFile['format'],
): number | null {
  const isTurned = format === 'pytorch';
  if (kind === 'filters' && index === 0) return isTurned ? 1 : 2;
  if (kind === 'dense' && index === count - 1) return isTurned ? 0 : 1;
  return null;
}
