import type { Graphviz } from '@hpcc-js/wasm-graphviz';

/* What Graphviz does for the pictures: it finds places. Sizes go in, and text stays out. */

export type Point = readonly [x: number, y: number];

export interface LayoutNode {
  id: number;
  width: number;
  height: number;
  cluster: string | null;
}

export interface LayoutEdge {
  from: number;
  to: number;
  input: string;
}

export interface LayoutCluster {
  name: string;
  parent: string | null;
  labelWidth: number;
}

export interface LayoutInput {
  nodes: readonly LayoutNode[];
  edges: readonly LayoutEdge[];
  clusters: readonly LayoutCluster[];
}

export interface PlacedNode extends LayoutNode {
  /** The middle. */
  x: number;
  y: number;
}

export interface PlacedEdge extends LayoutEdge {
  /** A start, then three points for each cubic curve. */
  points: readonly Point[];
  /** Tip of the arrow. */
  tip: Point;
}

export interface PlacedCluster {
  name: string;
  left: number;
  top: number;
  width: number;
  height: number;
}

/** Places in pixels, from the left upper corner. */
export interface Layout {
  width: number;
  height: number;
  nodes: PlacedNode[];
  edges: PlacedEdge[];
  clusters: PlacedCluster[];
}

/** Height of the line of text at the top of a cluster. */
export const CLUSTER_LABEL = 22;
const POINTS_PER_INCH = 72;

/** What `-Tjson` gives, as far as it is read here. */
interface GraphvizJson {
  bb: string;
  objects?: { name: string; bb?: string; pos?: string }[];
  edges?: { _gvid: number; pos: string; class: string }[];
}

/** Places boxes in layers from top to bottom, each below those that feed it. */
export function layOut(graphviz: Graphviz, input: LayoutInput): Layout {
  const json = JSON.parse(graphviz.layout(dotText(input), 'json', 'dot')) as GraphvizJson;
  const [, , width, height] = json.bb.split(',').map(Number);
  const flip = (text: string): Point => {
    const [x, y] = text.split(',').map(Number);
    return [x, height - y];
  };
  const objects = new Map((json.objects ?? []).map((object) => [object.name, object]));
  const nodes = input.nodes.map((node) => {
    const [x, y] = flip(objects.get(`n${node.id}`)!.pos!);
    return { ...node, x, y };
  });
  const clusters = input.clusters.flatMap(({ name }) => {
    const box = objects.get(`cluster_${name}`)?.bb?.split(',').map(Number);
    if (!box) return [];
    const [left, bottom, right, top] = box;
    return [{ name, left, top: height - top, width: right - left, height: top - bottom }];
  });
  const edges = (json.edges ?? []).map(({ pos, class: index }) => {
    const [end, ...points] = pos.split(' ');
    const tip = flip(end.slice(2));
    return { ...input.edges[Number(index)], points: points.map(flip), tip };
  });
  return { width, height, nodes, edges, clusters };
}

function dotText({ nodes, edges, clusters }: LayoutInput): string {
  const size = (pixels: number): string => (pixels / POINTS_PER_INCH).toFixed(4);
  const main = longestPath(nodes, edges);
  const inside = (cluster: string | null): string => {
    const own = nodes
      .filter((node) => node.cluster === cluster)
      .map(({ id, width, height }) => {
        const group = main.has(id) ? ', group=main' : '';
        return `"n${id}" [width=${size(width)}, height=${size(height)}${group}];`;
      });
    const inner = clusters
      .filter(({ parent }) => parent === cluster)
      .map(
        ({ name, labelWidth }) =>
          `subgraph "cluster_${name}" { label=${spacer(labelWidth)}; ${inside(name)} }`,
      );
    return [...own, ...inner].join('\n');
  };
  const lines = edges.map(({ from, to }, i) => {
    // The main path is kept straight; shortcuts go round it.
    const weight = main.get(to) === from ? 20 : 1;
    return `"n${from}" -> "n${to}" [class=${i}, weight=${weight}];`;
  });
  return [
    'digraph {',
    `ranksep=${size(20)}; nodesep=${size(16)}; splines=true;`,
    'node [shape=box, fixedsize=true, label=""];',
    'edge [arrowsize=0.6];',
    'graph [margin=9, labeljust=l, labelloc=t];',
    inside(null),
    ...lines,
    '}',
  ].join('\n');
}

/** The nodes of the longest way to the last node, each with the one before it. */
function longestPath(
  nodes: readonly LayoutNode[],
  edges: readonly LayoutEdge[],
): Map<number, number | null> {
  const best = new Map<number, { length: number; before: number | null }>();
  for (const { id } of nodes) {
    let step = { length: 0, before: null as number | null };
    for (const { from, to } of edges) {
      const length = (best.get(from)?.length ?? -1) + 1;
      if (to === id && length > step.length) step = { length, before: from };
    }
    best.set(id, step);
  }
  const path = new Map<number, number | null>();
  for (let id = nodes.at(-1)?.id ?? null; id !== null; id = path.get(id)!) {
    path.set(id, best.get(id)!.before);
  }
  return path;
}

/** Room for a cluster's label: an empty table, as Graphviz has no fonts to measure text with. */
function spacer(width: number): string {
  return (
    `<<TABLE BORDER="0" FIXEDSIZE="TRUE" WIDTH="${Math.ceil(width)}" HEIGHT="${CLUSTER_LABEL}">` +
    '<TR><TD></TD></TR></TABLE>>'
  );
}
