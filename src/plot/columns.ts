import type { Graphviz } from '@hpcc-js/wasm-graphviz';
import { layOut, type Layout, type LayoutInput } from './layout.js';

/*
 * A deep network in one strip is ten times as high as it is wide. Where a single value goes on, the
 * strip may be cut, and its pieces stand side by side as columns.
 */

export interface Column {
  layout: Layout;
  /** The node of the column before whose value comes in at `JUNCTION`; null in the first column. */
  source: number | null;
}

/** Id of the point at the top of a column where the value of the column before comes in. */
export const JUNCTION = -1;
export const JUNCTION_SIZE = 5;
/** Strips up to this height stay whole. */
const STRIP_HEIGHT = 1000;
const MOST_COLUMNS = 8;
/** Width over height of the pictures that are aimed at. */
const ASPECT = 1.5;
/** Between two columns; the line from one to the next runs there. */
export const GUTTER = 44;
/** How much of the height may be left after one more cut. */
const USEFUL = 0.95;
/** What cutting through a group costs, in column heights. */
const GROUP_PENALTY = 0.2;

/** A place in the order of nodes where one value alone goes on. */
interface Cut {
  /** Nodes before the cut. */
  index: number;
  source: number;
  /** Height of the strip down to there. */
  height: number;
  /** Groups with nodes on both sides. */
  crossed: number;
}

/** Nodes must come in an order in which each follows what feeds it. */
export function layOutColumns(graphviz: Graphviz, input: LayoutInput): Column[] {
  const strip = layOut(graphviz, input);
  if (strip.height <= STRIP_HEIGHT) return [{ layout: strip, source: null }];
  const cuts = chooseCuts(strip, findCuts(strip, input));
  if (cuts.length === 0) return [{ layout: strip, source: null }];
  const starts = [0, ...cuts.map(({ index }) => index)];
  return starts.map((start, i) => {
    const source = i === 0 ? null : cuts[i - 1].source;
    const end = starts[i + 1] ?? input.nodes.length;
    return { layout: layOut(graphviz, columnInput(input, start, end, source)), source };
  });
}

function findCuts(strip: Layout, { nodes, edges, clusters }: LayoutInput): Cut[] {
  const places = new Map(nodes.map(({ id }, place) => [id, place]));
  const ranges = clusters.map(({ name }) => {
    const inside = nodes.flatMap(({ cluster }, place) =>
      cluster === name || cluster?.startsWith(`${name}.`) ? [place] : [],
    );
    return [inside[0], inside[inside.length - 1]];
  });
  const cuts: Cut[] = [];
  let height = 0;
  for (let index = 1; index < nodes.length; index++) {
    const placed = strip.nodes[index - 1];
    height = Math.max(height, placed.y + placed.height / 2);
    const sources = new Set(
      edges
        .filter(({ from, to }) => places.get(from)! < index && places.get(to)! >= index)
        .map(({ from }) => from),
    );
    if (sources.size !== 1) continue;
    const crossed = ranges.filter(([first, last]) => first < index && last >= index).length;
    cuts.push({ index, source: [...sources][0], height, crossed });
  }
  return cuts;
}

/** The cuts that make columns of about one height, as many as give the picture its shape. */
function chooseCuts(strip: Layout, cuts: readonly Cut[]): Cut[] {
  let best: Cut[] = [];
  let bestMisfit = Infinity;
  let bestHeight = Infinity;
  for (let columns = 1; columns <= Math.min(MOST_COLUMNS, cuts.length + 1); columns++) {
    const chosen = evenCuts(strip.height, cuts, columns);
    const ends = [...chosen.map(({ height }) => height), strip.height];
    const highest = Math.max(...ends.map((end, i) => end - (ends[i - 1] ?? 0)));
    // A column that takes no height off the others is in vain.
    if (highest > USEFUL * bestHeight) continue;
    const shape = (columns * (strip.width + GUTTER)) / highest;
    const misfit = Math.abs(Math.log(shape / ASPECT));
    if (misfit < bestMisfit) [best, bestMisfit, bestHeight] = [chosen, misfit, highest];
  }
  return best;
}

/** Least sum of squared heights, with a penalty for each group that a cut goes through. */
function evenCuts(height: number, cuts: readonly Cut[], columns: number): Cut[] {
  const target = height / columns;
  const cost = (from: number, to: number): number => ((to - from) / target) ** 2;
  // best[i]: the cheapest way to end a column at cut i, after 1, 2, … columns.
  let best = cuts.map((cut) => ({
    cost: cost(0, cut.height) + GROUP_PENALTY * cut.crossed,
    chosen: [cut],
  }));
  if (columns === 1) return [];
  for (let column = 2; column < columns; column++) {
    best = cuts.map((cut, i) => {
      let cheapest = { cost: Infinity, chosen: [cut] };
      for (let j = 0; j < i; j++) {
        const total = best[j].cost + cost(cuts[j].height, cut.height) + GROUP_PENALTY * cut.crossed;
        if (total < cheapest.cost) cheapest = { cost: total, chosen: [...best[j].chosen, cut] };
      }
      return cheapest;
    });
  }
  let cheapest = { cost: Infinity, chosen: [] as Cut[] };
  for (const [i, { cost: before, chosen }] of best.entries()) {
    const total = before + cost(cuts[i].height, height);
    if (total < cheapest.cost) cheapest = { cost: total, chosen };
  }
  return cheapest.chosen;
}

/** The part of the network from one place to another, fed by a junction. */
function columnInput(
  { nodes, edges, clusters }: LayoutInput,
  start: number,
  end: number,
  source: number | null,
): LayoutInput {
  const part = nodes.slice(start, end);
  const ids = new Set(part.map(({ id }) => id));
  const junction = { id: JUNCTION, width: JUNCTION_SIZE, height: JUNCTION_SIZE, cluster: null };
  const isUsed = (name: string): boolean =>
    part.some(({ cluster }) => cluster === name || cluster?.startsWith(`${name}.`));
  return {
    nodes: source === null ? part : [junction, ...part],
    edges: edges.flatMap((edge) => {
      if (!ids.has(edge.to)) return [];
      if (ids.has(edge.from)) return [edge];
      return [{ ...edge, from: JUNCTION }];
    }),
    clusters: clusters.filter(({ name }) => isUsed(name)),
  };
}
