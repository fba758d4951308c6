import { textPath, textWidth } from './stroke_font.js';
import type { Point } from './layout.js';

/** How words are drawn: as text, in the reader's own font, or as strokes, which need no font. */
export type TextStyle = 'text' | 'strokes';

export const INK = '#1f2328';
export const GREY = '#59636e';
export const LINE = '#6e7781';

/** Rounding of the corners of bent lines. */
const BEND = 8;

export interface TextOptions {
  /** Height of the capitals. */
  size: number;
  colour?: string;
  isBold?: boolean;
  anchor?: 'start' | 'middle' | 'end';
}

/** Widths of Helvetica's characters in thousandths of the font size; Arial has the same. */
const HELVETICA: Readonly<Record<string, number>> = {
  ...widths(222, 'ijl'),
  ...widths(278, ' !,./:;I[\\]ft·'),
  ...widths(333, '()-`r{|}"\''),
  ...widths(500, 'ckJsvxyz'),
  ...widths(584, '+<=>~×'),
  ...widths(611, 'FTZ'),
  ...widths(667, 'ABEKPSVXY&'),
  ...widths(722, 'CDHNRUw'),
  ...widths(778, 'GOQ'),
  ...widths(833, 'Mm'),
  ...widths(1000, '%@W→…'),
};
/** Of all others: digits and most small letters. */
const USUAL = 556;
/** How much wider bold letters are. */
const BOLD = 1.07;
/** Capitals of the usual sans-serif fonts are this share of the font size high. */
const CAPITALS = 0.72;

function widths(width: number, characters: string): Record<string, number> {
  return Object.fromEntries(Array.from(characters, (character) => [character, width]));
}

/** Width of a line of text in one style. */
export function lineWidth(
  style: TextStyle,
  content: string,
  { size, isBold = false }: TextOptions,
): number {
  if (style === 'strokes') return textWidth(content, size);
  const sum = Array.from(content, (c) => HELVETICA[c] ?? USUAL).reduce((a, b) => a + b, 0);
  return (sum / 1000) * (size / CAPITALS) * (isBold ? BOLD : 1);
}

/** Room that a line of text needs in either style: both pictures have the same boxes. */
export function roomFor(content: string, options: TextOptions): number {
  return Math.max(lineWidth('text', content, options), lineWidth('strokes', content, options));
}

/** The text, or its beginning and dots where it is wider than there is room. */
export function fitted(
  style: TextStyle,
  content: string,
  options: TextOptions,
  room: number,
): string {
  if (lineWidth(style, content, options) <= room) return content;
  const all = Array.from(content);
  while (all.length > 0 && lineWidth(style, `${all.join('')}…`, options) > room) all.pop();
  return `${all.join('').trimEnd()}…`;
}

/** One line of text; `y` is its baseline. Text in a font of other widths is fitted to this one's. */
export function text(
  style: TextStyle,
  content: string,
  x: number,
  y: number,
  { size, colour = INK, isBold = false, anchor = 'start' }: TextOptions,
): string {
  if (content === '') return '';
  if (style === 'strokes') {
    const width = (isBold ? 0.19 : 0.125) * size;
    return `<path d="${textPath(content, x, y, size, anchor)}" stroke="${colour}" stroke-width="${round(width)}"/>`;
  }
  const length = lineWidth(style, content, { size, isBold });
  return (
    `<text x="${round(x)}" y="${round(y)}" font-size="${round(size / CAPITALS)}" fill="${colour}"` +
    (isBold ? ' font-weight="bold"' : '') +
    (anchor === 'start' ? '' : ` text-anchor="${anchor}"`) +
    ` textLength="${round(length)}">${escape(content)}</text>`
  );
}

export function escape(content: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };
  return content.replace(/[&<>]/g, (character) => entities[character]);
}

export function pair([x, y]: Point): string {
  return `${round(x)} ${round(y)}`;
}

/** One decimal is a tenth of a pixel. */
export function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** Straight lines with rounded corners. */
export function bentLine(corners: readonly Point[]): string {
  let path = `M${pair(corners[0])}`;
  for (let i = 1; i < corners.length - 1; i++) {
    const [corner, before, after] = [corners[i], corners[i - 1], corners[i + 1]];
    path += `L${pair(towards(corner, before))}Q${pair(corner)} ${pair(towards(corner, after))}`;
  }
  return `${path}L${pair(corners[corners.length - 1])}`;
}

/** The point BEND away from one on the way to another, at most half the way. */
function towards([x, y]: Point, [toX, toY]: Point): Point {
  const distance = Math.hypot(toX - x, toY - y);
  const share = distance === 0 ? 0 : Math.min(BEND, distance / 2) / distance;
  return [x + (toX - x) * share, y + (toY - y) * share];
}
