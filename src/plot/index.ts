import { UsageError } from '../errors.js';
import { foldRepeats } from '../nn/graph_fold.js';
import type { ModuleGraph } from '../nn/graph.js';
import { layOutColumns, type Column } from './columns.js';
import { drawNetwork, type PlotTitle } from './draw.js';
import { describeNetwork, type NetworkDrawing } from './network.js';

/* Pictures of networks: boxes for layers, lines for what flows between them, repeats folded. */

export type { PlotTitle } from './draw.js';

const FORMATS = ['.svg', '.png'] as const;
/** Pixels of the PNG for each of the SVG, where it stays below the largest edge. */
const PNG_SCALE = 2;
const LARGEST_EDGE = 8000;

/**
 * The kind of picture a file name asks for.
 *
 * Errors: UsageError for any other extension than .svg and .png.
 */
export function plotFormat(path: string): 'svg' | 'png' {
  const format = FORMATS.find((extension) => path.toLowerCase().endsWith(extension));
  if (format) return format === '.svg' ? 'svg' : 'png';
  throw new UsageError(
    `plot: expected a file name that ends in .svg or .png, got ${path}`,
    'the ending says which kind of picture is drawn: --plot network.svg',
  );
}

/** The network as an SVG document; its words are text in the reader's sans-serif font. */
export async function plotSvg(graph: ModuleGraph, title: PlotTitle): Promise<string> {
  const { drawing, columns } = await arrange(graph);
  return drawNetwork(drawing, columns, title, 'text').svg;
}

/** The network as a PNG; its words are strokes, so no font need be installed. */
export async function plotPng(graph: ModuleGraph, title: PlotTitle): Promise<Uint8Array> {
  const { drawing, columns } = await arrange(graph);
  const { svg, width, height } = drawNetwork(drawing, columns, title, 'strokes');
  const scale = Math.min(PNG_SCALE, LARGEST_EDGE / Math.max(width, height));
  const { default: sharp } = await import('sharp');
  const size = `width="${Math.round(width * scale)}" height="${Math.round(height * scale)}"`;
  const enlarged = svg.replace(`width="${width}" height="${height}"`, size);
  return sharp(Buffer.from(enlarged), { unlimited: true })
    .png({ compressionLevel: 9, palette: true })
    .toBuffer();
}

/** Graphviz is large and only needed here, so it is loaded here. */
async function arrange(
  graph: ModuleGraph,
): Promise<{ drawing: NetworkDrawing; columns: Column[] }> {
  const { Graphviz } = await import('@hpcc-js/wasm-graphviz');
  const drawing = describeNetwork(foldRepeats(graph));
  return { drawing, columns: layOutColumns(await Graphviz.load(), drawing.input) };
}
