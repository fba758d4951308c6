import sharp from 'sharp';
import { fitText, textPath, textWidth } from '../data/index.js';

/* Small charts as PNG, drawn as SVG and rasterised by sharp; text is strokes, so no font is needed. */

const INK = '#1f2328';
const GREY = '#656d76';
const GRID = '#d8dee4';
const COLOURS = ['#0969da', '#cf222e', '#1a7f37', '#8250df'];

export interface Series {
  name: string;
  values: readonly number[];
}

export interface Panel {
  title: string;
  series: readonly Series[];
  format: (value: number) => string;
}

const PANEL_WIDTH = 460;
const PANEL_HEIGHT = 300;
const LEFT = 64;
const RIGHT = 20;
const TOP = 64;
const BOTTOM = 44;

interface TextStyle {
  anchor?: 'start' | 'middle' | 'end';
  colour?: string;
}

function text(
  content: string,
  x: number,
  y: number,
  size: number,
  { anchor = 'start', colour = INK }: TextStyle = {},
): string {
  const width = (size / 8).toFixed(2);
  return `<path d="${textPath(content, x, y, size, anchor)}" stroke="${colour}" stroke-width="${width}"/>`;
}

/** Round values that cover a range: about five steps of 1, 2 or 5 times a power of ten. */
export function ticks(low: number, high: number): number[] {
  const span = high - low || Math.abs(high) || 1;
  const rough = span / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough)!;
  const first = Math.floor(low / step);
  const last = Math.max(first + 1, Math.ceil(high / step - 1e-9));
  return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
}

/** Line charts side by side; x counts 1, 2, 3 … */
export async function lineChart(panels: readonly Panel[], xTitle: string): Promise<Buffer> {
  const width = PANEL_WIDTH * panels.length;
  const body = panels.map((panel, i) => drawPanel(panel, i * PANEL_WIDTH, xTitle)).join('');
  return render(width, PANEL_HEIGHT, body);
}

function drawPanel({ title, series, format }: Panel, left: number, xTitle: string): string {
  const all = series.flatMap(({ values }) => values).filter(Number.isFinite);
  const yTicks = ticks(Math.min(...all), Math.max(...all));
  const [low, high] = [yTicks[0], yTicks[yTicks.length - 1]];
  const count = Math.max(...series.map(({ values }) => values.length));
  const x0 = left + LEFT;
  const plotWidth = PANEL_WIDTH - LEFT - RIGHT;
  const plotHeight = PANEL_HEIGHT - TOP - BOTTOM;
  const xOf = (i: number): number =>
    x0 + (count === 1 ? plotWidth / 2 : (i * plotWidth) / (count - 1));
  const yOf = (value: number): number => TOP + plotHeight * (1 - (value - low) / (high - low));
  let shapes = text(title, x0, 24, 12);
  for (const tick of yTicks) {
    const y = yOf(tick);
    shapes += `<path d="M${x0} ${y}H${x0 + plotWidth}" stroke="${GRID}" stroke-width="1"/>`;
    shapes += text(format(tick), x0 - 8, y + 4, 8, { anchor: 'end', colour: GREY });
  }
  const step = Math.ceil(count / 12);
  for (let i = 0; i < count; i += step) {
    const y = TOP + plotHeight + 18;
    shapes += text(String(i + 1), xOf(i), y, 8, { anchor: 'middle', colour: GREY });
  }
  const xTitleAt = x0 + plotWidth / 2;
  shapes += text(xTitle, xTitleAt, PANEL_HEIGHT - 8, 8, { anchor: 'middle', colour: GREY });
  let legend = x0;
  for (const [i, { name, values }] of series.entries()) {
    const colour = COLOURS[i % COLOURS.length];
    const points = values.map((value, k) => `${xOf(k).toFixed(1)} ${yOf(value).toFixed(1)}`);
    shapes += `<path d="M${points.join('L')}" stroke="${colour}" stroke-width="2"/>`;
    for (const point of points) {
      const [x, y] = point.split(' ');
      shapes += `<circle cx="${x}" cy="${y}" r="2.6" fill="${colour}"/>`;
    }
    shapes += `<path d="M${legend} 44h18" stroke="${colour}" stroke-width="2"/>`;
    shapes += text(name, legend + 24, 48, 9, { colour: GREY });
    legend += 24 + textWidth(name, 9) + 22;
  }
  return shapes;
}

/** A matrix of counts as shades: rows are true classes, columns predictions; shares of the row. */
export async function matrixChart(
  matrix: readonly (readonly number[])[],
  names: readonly string[],
  title: string,
): Promise<Buffer> {
  const n = names.length;
  const cell = Math.max(8, Math.min(44, Math.floor(900 / n)));
  const showsNumbers = cell >= 26;
  const nameSize = Math.min(9, cell * 0.7);
  const label = Math.min(140, Math.max(...names.map((name) => textWidth(name, nameSize))));
  const [left, top] = [40 + label, 60 + label];
  let shapes = text(fitText(title, 12, n * cell + label), 16, 28, 12);
  for (const [row, counts] of matrix.entries()) {
    const total = counts.reduce((a, b) => a + b, 0) || 1;
    for (const [column, count] of counts.entries()) {
      const share = count / total;
      const [x, y] = [left + column * cell, top + row * cell];
      const colour = row === column ? mix([9, 105, 218], share) : mix([207, 34, 46], share ** 0.4);
      shapes += `<rect x="${x}" y="${y}" width="${cell}" height="${cell}" fill="${colour}" stroke="${GRID}" stroke-width="0.5"/>`;
      if (showsNumbers && count > 0) {
        const ink = share > 0.5 ? '#ffffff' : INK;
        const size = Math.min(9, cell / String(count).length);
        shapes += text(String(count), x + cell / 2, y + cell / 2 + size / 2, size, {
          anchor: 'middle',
          colour: ink,
        });
      }
    }
    const name = fitText(names[row], nameSize, label);
    const y = top + row * cell + cell / 2 + nameSize / 2;
    shapes += text(name, left - 8, y, nameSize, { anchor: 'end' });
    const x = left + row * cell + cell / 2 + nameSize / 2;
    shapes += `<g transform="rotate(-90 ${x} ${top - 8})">${text(name, x, top - 8, nameSize)}</g>`;
  }
  const axis = 'rows: true class, columns: predicted';
  shapes += text(axis, left, top + n * cell + 22, 9, { colour: GREY });
  const width = Math.max(left + n * cell + 24, 40 + left + textWidth(axis, 9));
  return render(width, top + n * cell + 40, shapes);
}

/** White at 0, the colour at 1. */
function mix(colour: readonly [number, number, number], share: number): string {
  const channels = colour.map((value) => Math.round(255 + (value - 255) * Math.min(1, share)));
  return `rgb(${channels.join()})`;
}

async function render(width: number, height: number, shapes: string): Promise<Buffer> {
  const [w, h] = [Math.ceil(width), Math.ceil(height)];
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" width="${2 * w}" height="${2 * h}" viewBox="0 0 ${w} ${h}">` +
    `<rect width="${w}" height="${h}" fill="#ffffff"/>` +
    `<g fill="none" stroke-linecap="round" stroke-linejoin="round">${shapes}</g></svg>`;
  return sharp(Buffer.from(svg)).png({ compressionLevel: 9 }).toBuffer();
}
