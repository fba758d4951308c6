import sharp from 'sharp';
import { fitText, textPath, textWidth } from './stroke_font.js';

/* What the charts share. They are SVG, rasterised by sharp; text is strokes, so no font is needed. */

export const INK = '#1f2328';
export const GREY = '#656d76';
export const GRID = '#d8dee4';
export const BLUE = '#0969da';
export const RED = '#cf222e';
export const GREEN = '#1a7f37';
export const COLOURS = [BLUE, RED, GREEN, '#8250df'];

export interface TextStyle {
  anchor?: 'start' | 'middle' | 'end';
  colour?: string;
}

/** A line of text whose capitals are `size` high, on the baseline y. */
export function text(
  content: string,
  x: number,
  y: number,
  size: number,
  { anchor = 'start', colour = INK }: TextStyle = {},
): string {
  const width = (size / 8).toFixed(2);
  return `<path d="${textPath(content, x, y, size, anchor)}" stroke="${colour}" stroke-width="${width}"/>`;
}

/** Text that runs upwards from (x, y); `x` is the baseline's place. */
export function upwardText(content: string, x: number, y: number, size: number): string {
  return `<g transform="rotate(-90 ${x} ${y})">${text(content, x, y, size)}</g>`;
}

/** A filled rectangle. */
export function box(x: number, y: number, width: number, height: number, fill: string): string {
  const [w, h] = [Math.max(0, width), Math.max(0, height)].map((value) => value.toFixed(2));
  return `<rect x="${x.toFixed(2)}" y="${y.toFixed(2)}" width="${w}" height="${h}" fill="${fill}"/>`;
}

/** A stroked path. */
export function stroke(path: string, colour: string, width = 1, dashes = ''): string {
  const dashed = dashes === '' ? '' : ` stroke-dasharray="${dashes}"`;
  return `<path d="${path}" stroke="${colour}" stroke-width="${width}"${dashed}/>`;
}

/** White at 0, the colour at 1. */
export function mix(colour: readonly [number, number, number], share: number): string {
  const channels = colour.map((value) => Math.round(255 + (value - 255) * Math.min(1, share)));
  return `rgb(${channels.join()})`;
}

/** Round values that cover a range: about five steps of 1, 2, 2.5 or 5 times a power of ten. */
export function ticks(low: number, high: number): number[] {
  const span = high - low || Math.abs(high) || 1;
  const rough = span / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((n) => n * power).find((n) => n >= rough)!;
  const first = Math.floor(low / step + 1e-9);
  const last = Math.max(first + 1, Math.ceil(high / step - 1e-9));
  return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
}

/** What the stroke font can draw, marks aside. */
const DRAWABLE = /^[\x20-\x7e×–…]*$/;

/**
 * Names for a chart, each at most `room` wide: cut at the end; in the middle where cutting the end
 * would make two names the same; a number where the font lacks the letters.
 */
export function chartNames(names: readonly string[], size: number, room: number): string[] {
  const drawable = names.map((name, k) =>
    DRAWABLE.test(name.normalize('NFD').replace(/\p{Mn}/gu, '')) ? name : `class ${k}`,
  );
  const cut = drawable.map((name) => fitText(name, size, room));
  const uses = new Map<string, number>();
  for (const name of cut) uses.set(name, (uses.get(name) ?? 0) + 1);
  return cut.map((name, k) =>
    uses.get(name)! > 1 && name !== drawable[k] ? fitMiddle(drawable[k], size, room) : name,
  );
}

/** The beginning and the end of a text that is wider than there is room. */
function fitMiddle(content: string, size: number, room: number): string {
  const all = Array.from(content);
  for (let kept = all.length - 1; kept > 2; kept--) {
    const head = all.slice(0, Math.ceil(kept / 2)).join('');
    const tail = all.slice(all.length - Math.floor(kept / 2)).join('');
    const short = `${head.trimEnd()}…${tail.trimStart()}`;
    if (textWidth(short, size) <= room) return short;
  }
  return fitText(content, size, room);
}

/** The widest of some names. */
export function widest(names: readonly string[], size: number): number {
  return Math.max(0, ...names.map((name) => textWidth(name, size)));
}

/** Largest side of a picture in pixels. */
const LARGEST = 4800;

/** A drawn chart. `width` and `height` are what it is to be shown at; it has up to twice the pixels. */
export interface Picture {
  png: Buffer;
  width: number;
  height: number;
}

export async function render(width: number, height: number, shapes: string): Promise<Picture> {
  const [w, h] = [Math.ceil(width), Math.ceil(height)];
  const scale = Math.min(2, LARGEST / Math.max(w, h));
  const [pixelWidth, pixelHeight] = [Math.round(w * scale), Math.round(h * scale)];
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" width="${pixelWidth}" height="${pixelHeight}" viewBox="0 0 ${w} ${h}">` +
    `<rect width="${w}" height="${h}" fill="#ffffff"/>` +
    `<g fill="none" stroke-linecap="round" stroke-linejoin="round">${shapes}</g></svg>`;
  // librsvg refuses text nodes of more than 10 MB unless it is told to take them.
  const png = await sharp(Buffer.from(svg), { unlimited: true })
    .png({ compressionLevel: 7 })
    .toBuffer();
  return { png, width: w, height: h };
}
