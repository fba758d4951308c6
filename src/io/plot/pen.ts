import { textPath, textWidth } from '../../data/stroke_font.js';
import type { Point } from './layout.js';

/**
 * How words are drawn: as text, in the reader's own font, or as strokes, which need no font. Both
 * take the same room: text is told its width.
 */
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

/** One line of text; `y` is its baseline. */
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
  // Capitals of the usual sans-serif fonts are 0.72 of the font size high.
  return (
    `<text x="${round(x)}" y="${round(y)}" font-size="${round(size / 0.72)}" fill="${colour}"` +
    (isBold ? ' font-weight="bold"' : '') +
    (anchor === 'start' ? '' : ` text-anchor="${anchor}"`) +
    ` textLength="${round(textWidth(content, size))}">` +
    `${escape(content)}</text>`
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
