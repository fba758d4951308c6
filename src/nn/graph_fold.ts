import type { GraphEdge, GraphGroup, GraphNode, ModuleGraph } from './graph.js';

/** Separates the options of the first and the last block of a run. */
const RANGE = ' … ';

export interface FoldedGroup extends GraphGroup {
  /** Number of consecutive groups that it represents. */
  repeats: number;
  /** Path of the last of them; its own path if there is only one. */
  last: string;
}

export interface FoldedGraph extends ModuleGraph {
  groups: FoldedGroup[];
}

/**
 * The graph with each run of identical sibling groups folded into its first one. Groups are identical
 * if they have the same layers, shapes, counts and inner flow, and each takes its input only from the
 * one before. Inner runs are folded before outer ones.
 *
 * Options of layers without parameters may differ (the rate of drop-connect grows from block to
 * block); the remaining one then shows `first … last`.
 */
export function foldRepeats(graph: ModuleGraph): FoldedGraph {
  let folded: FoldedGraph = {
    ...graph,
    groups: graph.groups.map((group) => ({ ...group, repeats: 1, last: group.name })),
  };
  const depth = ({ name }: GraphGroup): number => name.split('.').length;
  const deepest = [...folded.groups].sort((a, b) => depth(b) - depth(a));
  const parents = [...new Set(deepest.map(({ parent }) => parent))];
  for (const parent of parents) folded = foldChildren(folded, parent);
  return folded;
}

function foldChildren(graph: FoldedGraph, parent: string | null): FoldedGraph {
  const siblings = graph.groups.filter((group) => group.parent === parent);
  const parts = siblings.map((group) => partOf(graph, group));
  let folded = graph;
  for (let first = 0; first < parts.length;) {
    let end = first + 1;
    while (end < parts.length && follows(parts, first, end)) end++;
    // The last group must pass on the same values that each group passes to the next.
    while (end - first > 1 && !endsAlike(parts, first, end)) end--;
    if (end - first > 1) folded = foldRun(folded, parts.slice(first, end));
    first = end;
  }
  return folded;
}

/** A group with its nodes and the edges that enter and leave it. */
interface Part {
  group: FoldedGroup;
  nodes: GraphNode[];
  /** Index of each node in `nodes`, by id. */
  places: Map<number, number>;
  signature: string;
  enters: GraphEdge[];
  leaves: GraphEdge[];
}

function partOf(graph: FoldedGraph, group: FoldedGroup): Part {
  const isInside = (name: string | null): boolean =>
    name === group.name || (name ?? '').startsWith(`${group.name}.`);
  const relative = (name: string): string => name.slice(group.name.length);
  const nodes = graph.nodes.filter((node) => isInside(node.group));
  const places = new Map(nodes.map(({ id }, place) => [id, place]));
  const inner = graph.groups.filter(({ name }) => isInside(name));
  const flow: [number, number, string][] = [];
  const enters: GraphEdge[] = [];
  const leaves: GraphEdge[] = [];
  for (const edge of graph.edges) {
    const [from, to] = [places.get(edge.from), places.get(edge.to)];
    if (from !== undefined && to !== undefined) flow.push([from, to, edge.input]);
    else if (to !== undefined) enters.push(edge);
    else if (from !== undefined) leaves.push(edge);
  }
  const signature = JSON.stringify([
    nodes.map(({ name, type, detail, output, parameters }) => [
      ...[relative(name), type, output, parameters],
      parameters > 0 ? detail : '',
    ]),
    inner.map(({ name, type, detail, repeats }) => [relative(name), type, detail, repeats]),
    flow,
  ]);
  return { group, nodes, places, signature, enters, leaves };
}

/** Whether part `index` is identical to part `first` and takes its input only from the part before. */
function follows(parts: readonly Part[], first: number, index: number): boolean {
  const [before, part] = [parts[index - 1], parts[index]];
  if (part.nodes.length === 0 || part.signature !== parts[first].signature) return false;
  const isFedByBefore = part.enters.every(({ from }) => before.places.has(from));
  const feedsOnlyNext = before.leaves.every(({ to }) => part.places.has(to));
  return (
    isFedByBefore &&
    feedsOnlyNext &&
    entries(part) === entries(parts[first]) &&
    wiring(before, part) === wiring(parts[first], parts[first + 1])
  );
}

/** Nodes of a part that take a value from outside, and as which input. */
function entries({ enters, places }: Part): string {
  return unique(enters.map(({ to, input }) => `${places.get(to)} ${input}`));
}

/** Nodes of a part whose value is used outside. */
function exits({ leaves, places }: Part): string {
  return unique(leaves.map(({ from }) => String(places.get(from))));
}

/** Which nodes of one part feed which nodes of the next. */
function wiring(before: Part, { enters, places }: Part): string {
  return unique(
    enters.map(({ from, to, input }) => `${before.places.get(from)} ${places.get(to)} ${input}`),
  );
}

function endsAlike(parts: readonly Part[], first: number, end: number): boolean {
  const last = parts[end - 1];
  return last.leaves.length === 0 || exits(last) === exits(parts[first]);
}

function unique(texts: readonly string[]): string {
  return [...new Set(texts)].sort().join();
}

function foldRun(graph: FoldedGraph, run: readonly Part[]): FoldedGraph {
  const [first] = run;
  const last = run[run.length - 1];
  const gone = new Set(run.slice(1).flatMap(({ nodes }) => nodes.map(({ id }) => id)));
  const isGone = (name: string): boolean =>
    run.slice(1).some(({ group }) => name === group.name || name.startsWith(`${group.name}.`));
  const nodes = graph.nodes
    .filter(({ id }) => !gone.has(id))
    .map((node) => {
      const place = first.places.get(node.id);
      if (place === undefined) return node;
      const [from] = node.detail.split(RANGE);
      const to = last.nodes[place].detail.split(RANGE).at(-1)!;
      return from === to ? node : { ...node, detail: `${from}${RANGE}${to}` };
    });
  const edges = graph.edges
    .filter(({ to, from }) => !gone.has(to) && !(first.places.has(from) && gone.has(to)))
    .map((edge) => {
      const place = last.places.get(edge.from);
      return place === undefined ? edge : { ...edge, from: first.nodes[place].id };
    });
  const groups = graph.groups
    .filter(({ name }) => !isGone(name))
    .map((group) =>
      group.name === first.group.name
        ? { ...group, repeats: run.length, last: last.group.last }
        : group,
    );
  return { ...graph, nodes, edges, groups };
}
