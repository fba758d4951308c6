import type { LayerKind, SourceLayer } from './types.js';

/*
 * The orders in which the layers of a file may have been made. Numbers in names tell it, and so does the
 * order of the file, unless it is sorted by name as text: there words stand in alphabetical order, which
 * tells nothing, and 10 before 2.
 */

/** Whether layers are in the order of their names as text, as the safetensors library writes them. */
export function isSortedAsText(layers: readonly SourceLayer[]): boolean {
  return layers.every(({ name }, i) => i === 0 || `${layers[i - 1].name}.` < `${name}.`);
}

const collator = new Intl.Collator('en', { numeric: true });

/** Part by part, with numbers as numbers: layer3.9 before layer3.10. */
function compareNaturally(a: string, b: string): number {
  const [left, right] = [a, b].map((name) => name.split(/[./]/));
  for (const [i, part] of left.entries()) {
    if (i >= right.length) return 1;
    const order = collator.compare(part, right[i]);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

export function naturalOrder(layers: readonly SourceLayer[]): SourceLayer[] {
  return [...layers].sort((a, b) => compareNaturally(a.name, b.name));
}

/** The order of the file, with names that differ in their numbers alone in the order of these. */
export function numberedOrder(layers: readonly SourceLayer[]): SourceLayer[] {
  const alike = new Map<string, SourceLayer[]>();
  const patternOf = ({ name }: SourceLayer): string => name.replace(/\d+/g, '#');
  for (const layer of naturalOrder(layers)) {
    const pattern = patternOf(layer);
    alike.set(pattern, [...(alike.get(pattern) ?? []), layer]);
  }
  return layers.map((layer) => alike.get(patternOf(layer))!.shift()!);
}

/** A part of names that begin alike. */
interface Branch {
  layers: SourceLayer[];
  /** By the next part of the name. */
  children: Map<string, Branch>;
}

/** Beyond so many, only the natural order is tried. */
const MOST_ORDERS = 20_000;

/**
 * Every order that the numbers in names allow, with words in any order, though in the same one
 * wherever names have them: `conv1`, `bn1` and `shortcut` of one block stand as in all others. Words
 * that no kind of layer has in common keep their order. The natural order comes first.
 */
export function* wordOrders(layers: readonly SourceLayer[]): Generator<SourceLayer[]> {
  const root = treeOf(naturalOrder(layers));
  const choices = [...wordsByPlace(root)].map(
    ([place, words]) => [place, [...permutations([...words.keys()])]] as const,
  );
  const count = choices.reduce((product, [, orders]) => product * orders.length, 1);
  for (let index = 0; index < (count > MOST_ORDERS ? 1 : count); index++) {
    let rest = index;
    const chosen = new Map<string, readonly string[]>();
    for (const [place, orders] of choices) {
      chosen.set(place, orders[rest % orders.length]);
      rest = Math.floor(rest / orders.length);
    }
    yield [...flattened(root, '', chosen)];
  }
}

function treeOf(layers: readonly SourceLayer[]): Branch {
  const root: Branch = { layers: [], children: new Map() };
  for (const layer of layers) {
    let branch = root;
    for (const part of layer.name.split(/[./]/)) {
      const child = branch.children.get(part) ?? { layers: [], children: new Map() };
      branch.children.set(part, child);
      branch = child;
    }
    branch.layers.push(layer);
  }
  return root;
}

/** A part of a name without the number, or the letter after a number, that it ends in. */
function wordOf(part: string): string {
  return /\dd$/.test(part) ? part : part.replace(/[_-]?\d+$|(?<=[\d_-])[a-z]$/, '');
}

type Kinds = Set<LayerKind>;

/** For each place in the tree, numbers left out, the words there and the kinds of layers below each. */
function wordsByPlace(
  branch: Branch,
  place = '',
  found = new Map<string, Map<string, Kinds>>(),
): Map<string, Map<string, Kinds>> {
  for (const [part, child] of branch.children) {
    const word = wordOf(part);
    const words = found.get(place) ?? new Map<string, Kinds>();
    found.set(place, words);
    const kinds = words.get(word) ?? new Set();
    words.set(word, kinds);
    for (const layer of flattened(child, '', new Map())) kinds.add(layer.kind);
    wordsByPlace(child, `${place}${word}.`, found);
  }
  if (place !== '') return found;
  for (const [at, words] of found) {
    const all = [...words.values()].flatMap((kinds) => [...kinds]);
    if (new Set(all).size === all.length) found.delete(at);
  }
  return found;
}

function* permutations(words: readonly string[]): Generator<string[]> {
  // So many would be too many orders anyway.
  if (words.length < 2 || words.length > 7) {
    yield [...words];
    return;
  }
  for (const [i, first] of words.entries()) {
    for (const rest of permutations(words.filter((_, j) => j !== i))) yield [first, ...rest];
  }
}

function* flattened(
  branch: Branch,
  place: string,
  chosen: ReadonlyMap<string, readonly string[]>,
): Generator<SourceLayer> {
  yield* branch.layers;
  const words = chosen.get(place);
  const parts = [...branch.children.keys()];
  const sorted = words
    ? words.flatMap((word) => parts.filter((part) => wordOf(part) === word))
    : parts;
  for (const part of sorted) {
    yield* flattened(branch.children.get(part)!, `${place}${wordOf(part)}.`, chosen);
  }
}
