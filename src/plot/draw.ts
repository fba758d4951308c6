import { GUTTER, JUNCTION, JUNCTION_SIZE, type Column } from './columns.js';
import type { NodeLabel } from './labels.js';
import {
  CLUSTER_LABEL,
  type Layout,
  type PlacedCluster,
  type PlacedEdge,
  type PlacedNode,
  type Point,
} from './layout.js';
import {
  FACTS,
  isSymbol,
  OPTIONS,
  PADDING,
  SYMBOLS,
  TYPE,
  WORD_GAP,
  type DescribedNode,
  type NetworkDrawing,
} from './network.js';
import {
  bentLine,
  escape,
  fitted,
  GREY,
  INK,
  LINE,
  lineWidth,
  pair,
  roomFor,
  round,
  text,
  type TextOptions,
  type TextStyle,
} from './pen.js';

export interface PlotTitle {
  title: string;
  /** A line below it. */
  subtitle: string;
}

const MARGIN = 24;
const TITLE: TextOptions = { size: 13, isBold: true };
const HEAD = 62;

/** Fill and edge of a layer's box, by what its class is called. */
const TONES: readonly (readonly [RegExp, fill: string, edge: string])[] = [
  [/conv/i, '#ddf4ff', '#0969da'],
  [/dense|linear|matmul/i, '#dafbe1', '#1a7f37'],
  [/norm/i, '#fbefff', '#8250df'],
  [/pool/i, '#fff1e5', '#bc4c00'],
  [/drop|stochastic/i, '#ffffff', '#8c959f'],
  [/./, '#f6f8fa', '#57606a'],
];

/** The picture as one SVG document, and its size in pixels. */
export function drawNetwork(
  drawing: NetworkDrawing,
  columns: readonly Column[],
  { title, subtitle }: PlotTitle,
  style: TextStyle,
): { svg: string; width: number; height: number } {
  let shapes = text(style, title, MARGIN, MARGIN + TITLE.size, TITLE);
  shapes += text(style, subtitle, MARGIN, MARGIN + 34, { ...FACTS, colour: GREY });
  const lefts: number[] = [];
  let right = MARGIN;
  for (const { layout } of columns) {
    lefts.push(right);
    right += layout.width + GUTTER;
  }
  const seen = new Set<string>();
  for (const [i, { layout }] of columns.entries()) {
    const inner = drawColumn(style, drawing, layout, seen);
    shapes += `<g transform="translate(${round(lefts[i])} ${MARGIN + HEAD})">${inner}</g>`;
  }
  shapes += connectors(columns, lefts);
  const titleWidth = Math.max(roomFor(title, TITLE), roomFor(subtitle, FACTS));
  const foot = columns.length > 1 ? 2 * MARGIN : MARGIN;
  const width = Math.ceil(Math.max(right - GUTTER + 12, MARGIN + titleWidth) + MARGIN);
  const deepest = Math.max(...columns.map(({ layout }) => layout.height));
  const height = Math.ceil(MARGIN + HEAD + deepest + foot);
  const font = style === 'text' ? ' font-family="Helvetica, Arial, sans-serif"' : '';
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">` +
    `<rect width="${width}" height="${height}" fill="#ffffff"/>` +
    `<g fill="none" stroke-linecap="round" stroke-linejoin="round"${font}>\n${shapes}</g></svg>\n`;
  return { svg, width, height };
}

/** @param seen groups of the columns before; those of this one are added */
function drawColumn(
  style: TextStyle,
  { nodes, groups }: NetworkDrawing,
  layout: Layout,
  seen: Set<string>,
): string {
  const isRepeated = (name: string): boolean => groups.get(name)!.group.repeats > 1;
  let shapes = '';
  for (const cluster of layout.clusters) shapes += drawCluster(cluster, isRepeated(cluster.name));
  for (const edge of layout.edges) shapes += drawEdge(edge);
  for (const cluster of layout.clusters) {
    const { name } = cluster;
    const state = { isRepeated: isRepeated(name), isContinued: seen.has(name) };
    shapes += drawClusterLabel(style, cluster, groups.get(name)!.label, state);
    seen.add(name);
  }
  for (const placed of layout.nodes) {
    if (placed.id !== JUNCTION) shapes += drawNode(style, placed, nodes.get(placed.id)!);
  }
  for (const edge of layout.edges) shapes += drawPlus(edge);
  return shapes;
}

function drawCluster(
  { name, left, top, width, height }: PlacedCluster,
  isRepeated: boolean,
): string {
  const edge = isRepeated ? '#57606a' : '#d0d7de';
  const rectangle = (shift: number): string =>
    `<rect x="${round(left + shift)}" y="${round(top + shift)}" width="${round(width)}"` +
    ` height="${round(height)}" rx="6" fill="${groupFill(name)}" stroke="${edge}"/>`;
  // A pile of sheets stands for the repeats.
  return `${isRepeated ? rectangle(6) + rectangle(3) : ''}${rectangle(0)}\n`;
}

/** The words at a group's upper edge, left and right since what flows in comes down the middle. */
function drawClusterLabel(
  style: TextStyle,
  { name: path, left, top, width }: PlacedCluster,
  { title, name }: { title: string; name: string },
  { isRepeated, isContinued }: { isRepeated: boolean; isContinued: boolean },
): string {
  const baseline = top + CLUSTER_LABEL - 4;
  const head = isContinued ? `… ${title}` : title;
  const end = left + width - 10;
  const nameWidth = lineWidth(style, name, FACTS);
  // Lines may pass behind the name.
  const patch =
    `<rect x="${round(end - nameWidth - 2)}" y="${round(baseline - FACTS.size - 2)}"` +
    ` width="${round(nameWidth + 4)}" height="${FACTS.size + 5}" fill="${groupFill(path)}"/>`;
  return (
    text(style, head, left + 10, baseline, isRepeated ? TYPE : OPTIONS) +
    patch +
    text(style, name, end, baseline, { ...FACTS, colour: GREY, anchor: 'end' }) +
    '\n'
  );
}

/** Grey and white in turn, from outer groups to inner ones. */
function groupFill(path: string): string {
  return path.split('.').length % 2 === 1 ? '#f6f8fa' : '#ffffff';
}

function drawNode(style: TextStyle, placed: PlacedNode, { node, label }: DescribedNode): string {
  const draw = isSymbol(node) ? drawSymbol : node.kind === 'layer' ? drawLayer : drawPill;
  return `<g><title>${escape(label.tooltip)}</title>${draw(style, placed, label)}</g>\n`;
}

function rectangle(
  { x, y, width, height }: PlacedNode,
  { type }: NodeLabel,
  { radius, isFilled = true }: { radius: number; isFilled?: boolean },
): string {
  const [, fill, edge] = TONES.find(([pattern]) => pattern.test(type))!;
  return (
    `<rect x="${round(x - width / 2)}" y="${round(y - height / 2)}" width="${round(width)}"` +
    ` height="${round(height)}" rx="${round(radius)}" fill="${isFilled ? fill : '#ffffff'}" stroke="${edge}"/>`
  );
}

/** A sum or a product: its sign in a circle. */
function drawSymbol(style: TextStyle, placed: PlacedNode, label: NodeLabel): string {
  const size = OPTIONS.size * 1.3;
  const baseline = placed.y + size * 0.36;
  return (
    rectangle(placed, label, { radius: placed.height / 2, isFilled: false }) +
    text(style, SYMBOLS[label.type], placed.x, baseline, { size, anchor: 'middle' })
  );
}

/** A layer: what it is above, its name and its numbers below. */
function drawLayer(style: TextStyle, placed: PlacedNode, label: NodeLabel): string {
  const { x, y, width, height } = placed;
  const [left, right] = [x - width / 2 + PADDING, x + width / 2 - PADDING];
  const [first, second] = [y - height / 2 + 15.5, y + height / 2 - 8];
  const after = left + lineWidth(style, label.type, TYPE) + WORD_GAP;
  const options = fitted(style, label.options, OPTIONS, right - after);
  const nameRoom = right - left - lineWidth(style, label.facts, FACTS) - WORD_GAP;
  const name = fitted(style, label.name, FACTS, nameRoom);
  return (
    rectangle(placed, label, { radius: 4 }) +
    text(style, label.type, left, first, TYPE) +
    text(style, options, after, first, OPTIONS) +
    text(style, name, left, second, { ...FACTS, colour: GREY }) +
    text(style, label.facts, right, second, { ...FACTS, anchor: 'end' })
  );
}

/** The input, or an op that a module runs itself: one line. */
function drawPill(style: TextStyle, placed: PlacedNode, label: NodeLabel): string {
  const { x, y, width, height } = placed;
  const [left, right] = [x - width / 2 + PADDING, x + width / 2 - PADDING];
  const type = label.type === 'input' ? TYPE : OPTIONS;
  return (
    rectangle(placed, label, { radius: height / 2 }) +
    text(style, label.type, left, y + type.size / 2, type) +
    text(style, label.facts, right, y + FACTS.size / 2, { ...FACTS, anchor: 'end' })
  );
}

function drawEdge({ points, tip }: PlacedEdge): string {
  const [start, ...rest] = points;
  const end = points[points.length - 1];
  const curve = `M${pair(start)}C${rest.map(pair).join(' ')}`;
  return `<path d="${curve}" stroke="${LINE}"/>${arrow(end, tip)}\n`;
}

/** An arrow head from the end of a line to its tip. */
function arrow([x, y]: Point, [tipX, tipY]: Point): string {
  const [dx, dy] = [(tipX - x) * 0.55, (tipY - y) * 0.55];
  const corners = [pair([tipX, tipY]), pair([x - dy, y + dx]), pair([x + dy, y - dx])];
  return `<path d="M${corners.join('L')}Z" fill="${LINE}"/>`;
}

/** A value that a layer adds to its result comes in by a plus sign. */
function drawPlus({ input, tip: [x, y] }: PlacedEdge): string {
  if (input !== 'residual') return '';
  const at = `${round(x)} ${round(y)}`;
  return (
    `<circle cx="${round(x)}" cy="${round(y)}" r="6.5" fill="#ffffff" stroke="${LINE}"/>` +
    `<path d="M${at}m-3.5 0h7M${at}m0 -3.5v7" stroke="${INK}" stroke-width="1.2"/>\n`
  );
}

/** The lines from the foot of each column to the head of the next. */
function connectors(columns: readonly Column[], lefts: readonly number[]): string {
  const top = MARGIN + HEAD;
  let shapes = '';
  for (const [i, { layout, source }] of columns.entries()) {
    if (source === null) continue;
    const before = columns[i - 1].layout;
    const from = before.nodes.find(({ id }) => id === source)!;
    const to = layout.nodes.find(({ id }) => id === JUNCTION)!;
    const x = lefts[i] - GUTTER / 2;
    const fromX = lefts[i - 1] + from.x;
    const toX = lefts[i] + to.x;
    const corners: Point[] = [
      [fromX, top + from.y + from.height / 2],
      [fromX, top + before.height + 16],
      [x, top + before.height + 16],
      [x, top - 12],
      [toX, top - 12],
      [toX, top + to.y],
    ];
    shapes += `<path d="${bentLine(corners)}" stroke="${LINE}"/>`;
    if (layout.edges.filter((edge) => edge.from === JUNCTION).length < 2) continue;
    const [cx, cy] = [round(toX), round(top + to.y)];
    shapes += `<circle cx="${cx}" cy="${cy}" r="${JUNCTION_SIZE / 2}" fill="${LINE}"/>\n`;
  }
  return shapes;
}
