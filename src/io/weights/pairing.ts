import { layoutOf } from './layout.js';
import { kerasNames } from './keras_names.js';
import type { ModelLayer } from './model_layers.js';
import type { LayerKind, SourceLayer, WeightFile } from './types.js';

/** What a layer of the file was recognised by. */
export type MatchedBy = 'name' | 'naming' | 'order';

export interface Pair {
  target: ModelLayer;
  source: SourceLayer;
  by: MatchedBy;
}

/**
 * Finds for each layer of a network its source in a file: by equal names, then by the names that
 * Keras' own networks have, then, for each kind of layer, by order where shapes agree all along.
 */
export function pairLayers(targets: readonly ModelLayer[], file: WeightFile): Pair[] {
  const pairs: Pair[] = byNames(targets, file, (target) => [target.path], 'name');
  if (file.format === 'keras') {
    pairs.push(...byNames(...remaining(targets, file, pairs), kerasNames, 'naming'));
  }
  for (const kind of ['filters', 'norm', 'dense'] as const) {
    pairs.push(...byOrder(kind, ...remaining(targets, file, pairs)));
  }
  return pairs;
}

function remaining(
  targets: readonly ModelLayer[],
  file: WeightFile,
  pairs: readonly Pair[],
): [ModelLayer[], WeightFile] {
  const taken = new Set<unknown>(pairs.flatMap(({ target, source }) => [target, source]));
  const layers = file.layers.filter((layer) => !taken.has(layer));
  return [targets.filter((layer) => !taken.has(layer)), { ...file, layers }];
}

function byNames(
  targets: readonly ModelLayer[],
  file: WeightFile,
  namesOf: (target: ModelLayer) => readonly string[],
  by: MatchedBy,
): Pair[] {
  const sources = new Map<string, SourceLayer>();
  // Keras may have the names of surrounding networks before a layer's own.
  const separator = file.format === 'keras' ? '/' : null;
  for (const source of file.layers) {
    const name = separator ? source.name.split(separator).at(-1)! : source.name;
    if (!sources.has(name)) sources.set(name, source);
  }
  const pairs = targets.flatMap((target): Pair[] => {
    for (const name of namesOf(target)) {
      const source = sources.get(name);
      if (source?.kind === target.kind) return [{ target, source, by }];
    }
    return [];
  });
  // Numbers are places in a list: they name the same layers only where all of them agree.
  const areNumbers = [...sources.keys()].every((name) => /^\d+(\.\d+)*$/.test(name));
  return areNumbers && (pairs.length < sources.size || pairs.length < targets.length) ? [] : pairs;
}

const naturally = new Intl.Collator('en', { numeric: true });

function byOrder(kind: LayerKind, targets: readonly ModelLayer[], file: WeightFile): Pair[] {
  const wanted = targets.filter((layer) => layer.kind === kind);
  const inFile = file.layers.filter((layer) => layer.kind === kind);
  // Files may be sorted by name as text, so that layer 10 comes before layer 2.
  const sorted = [...inFile].sort((a, b) => naturally.compare(a.name, b.name));
  const orders = [inFile, sorted, interleaved(wanted, sorted)];
  const sources = orders.find((order) => agree(wanted, order, file));
  if (!sources) return [];
  return wanted.map((target, i) => ({ target, source: sources[i], by: 'order' }));
}

/**
 * Depthwise layers and others, each in their order, in the places that the network has for them:
 * Keras 3 numbers them apart, `conv2d_1` and `depthwise_conv2d_1`.
 */
function interleaved(
  targets: readonly ModelLayer[],
  sources: readonly SourceLayer[],
): SourceLayer[] {
  const depthwise = sources.filter(({ name }) => name.includes('depthwise'));
  const others = sources.filter((source) => !depthwise.includes(source));
  if (targets.length !== sources.length) return [];
  return targets.flatMap(({ isDepthwise }) => (isDepthwise ? depthwise : others).shift() ?? []);
}

/**
 * Whether two sequences of layers have the same shapes. What goes in at the first convolution and
 * what comes out of the last dense layer may differ: channels and classes belong to the data.
 */
function agree(
  targets: readonly ModelLayer[],
  sources: readonly SourceLayer[],
  { format }: WeightFile,
): boolean {
  if (targets.length !== sources.length || targets.length === 0) return false;
  return targets.every((target, i) => {
    const field = target.tensors.has('weight') ? 'weight' : 'gamma';
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
