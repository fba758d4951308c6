import type { GraphNode } from '../nn/graph.js';
import type { FoldedGraph, FoldedGroup } from '../nn/graph_fold.js';
import { groupLabel, nodeLabel, type NodeLabel } from './labels.js';
import type { LayoutInput, LayoutNode } from './layout.js';
import { roomFor, type TextOptions } from './pen.js';

/* Which boxes and groups a network is drawn with, and how large they are. */

/** Heights of capitals are in pixels. */
export const TYPE: TextOptions = { size: 8.6, isBold: true };
export const OPTIONS: TextOptions = { size: 8.6 };
export const FACTS: TextOptions = { size: 7 };
/** Inside a box, left and right of its text. */
export const PADDING = 12;
/** Between the words of a line. */
export const WORD_GAP = 7;
const BOX_HEIGHT = 37;
const PILL_HEIGHT = 22;
const SYMBOL_SIZE = 22;
/** Boxes grow with their text up to here. */
const WIDEST = 300;
/** Groups of at most this many layers, and nothing else, get no box of their own. */
const SHORT_ROW = 3;

/** Ops that are drawn as a sign in a circle. */
export const SYMBOLS: Readonly<Record<string, string>> = { add: '+', sub: '–', mul: '×', div: '/' };

export interface DescribedNode {
  node: GraphNode;
  label: NodeLabel;
}

export interface NetworkDrawing {
  input: LayoutInput;
  nodes: Map<number, DescribedNode>;
  groups: Map<string, { group: FoldedGroup; label: { title: string; name: string } }>;
}

export function isSymbol({ kind, type, parameters }: GraphNode): boolean {
  return kind === 'op' && parameters === 0 && Object.hasOwn(SYMBOLS, type);
}

export function describeNetwork(graph: FoldedGraph): NetworkDrawing {
  const drawn = new Map(
    graph.groups.filter((group) => isDrawn(graph, group)).map((group) => [group.name, group]),
  );
  const parents = new Map(graph.groups.map(({ name, parent }) => [name, parent]));
  /** The nearest drawn group from `name` outwards. */
  const clusterOf = (name: string | null): string | null => {
    while (name !== null && !drawn.has(name)) name = parents.get(name) ?? null;
    return name;
  };
  const nodes = new Map(
    graph.nodes.map((node) => [node.id, { node, label: nodeLabel(node, clusterOf(node.group)) }]),
  );
  const groups = new Map(
    [...drawn].map(([name, group]) => [
      name,
      { group, label: groupLabel(group, clusterOf(group.parent)) },
    ]),
  );
  const boxes = [...nodes.values()].filter(({ node }) => node.kind === 'layer');
  const boxWidth = Math.min(WIDEST, Math.max(0, ...boxes.map(({ label }) => layerWidth(label))));
  return {
    nodes,
    groups,
    input: {
      nodes: [...nodes.values()].map(({ node, label }) => ({
        ...sizeOf(node, label, boxWidth),
        cluster: clusterOf(node.group),
      })),
      edges: graph.edges,
      clusters: [...groups].map(([name, { group, label }]) => ({
        name,
        parent: clusterOf(group.parent),
        labelWidth: 20 + roomFor(label.title, TYPE) + WORD_GAP + roomFor(label.name, FACTS),
      })),
    },
  };
}

/** A group of a few layers in a row is left out: a box round a convolution and its norm shows nothing. */
function isDrawn(graph: FoldedGraph, { name, repeats }: FoldedGroup): boolean {
  const steps = graph.nodes.filter(({ group }) => group === name);
  const hasInner = graph.groups.some(({ parent }) => parent === name);
  const isRow = steps.length <= SHORT_ROW && steps.every(({ kind }) => kind === 'layer');
  return repeats > 1 || hasInner || !isRow;
}

function layerWidth({ type, options, name, facts }: NodeLabel): number {
  const first = roomFor(type, TYPE) + WORD_GAP + roomFor(options, OPTIONS);
  const second = roomFor(name, FACTS) + 2 * WORD_GAP + roomFor(facts, FACTS);
  return Math.ceil(Math.max(first, second) + 2 * PADDING) + 1;
}

function sizeOf(node: GraphNode, label: NodeLabel, boxWidth: number): Omit<LayoutNode, 'cluster'> {
  const { id } = node;
  if (node.kind === 'layer') return { id, width: boxWidth, height: BOX_HEIGHT };
  if (isSymbol(node)) return { id, width: SYMBOL_SIZE, height: SYMBOL_SIZE };
  const words = roomFor(label.type, TYPE) + WORD_GAP + roomFor(label.facts, FACTS);
  return { id, width: words + 2 * PADDING, height: PILL_HEIGHT };
}
