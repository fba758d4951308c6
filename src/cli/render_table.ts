import type { InlineStyles } from './render_markdown.js';
import { visibleLength, wrap } from './wrap.js';

/** Between two columns. */
const GAP = 2;

/**
 * A table of Markdown with columns as wide as their widest cell, narrower where the terminal is: then
 * cells have several lines. Where not even their words fit side by side, each row is a list.
 */
export function renderTable(
  lines: readonly string[],
  columns: number,
  { styled, plain, bold }: InlineStyles,
): string[] {
  const rows = lines
    .filter((line) => !/^\|[\s:|-]+\|?$/.test(line))
    .map((line) => line.replace(/^\||\|\s*$/g, '').split(/(?<!\\)\|/))
    .map((cells) => cells.map((cell) => cell.trim().replaceAll('\\|', '|')));
  const shown = rows.map((row, i) =>
    row.map((cell) => (i === 0 ? bold(plain(cell)) : styled(cell))),
  );
  const head = rows[0];
  const most = head.map((_, k) => Math.max(...shown.map((row) => visibleLength(row[k] ?? ''))));
  const least = head.map((_, k) => Math.max(...shown.map((row) => longestWord(row[k] ?? ''))));
  const room = columns - GAP * (head.length - 1);
  const widths = fitted(most, least, room);
  if (widths === null) return asLists(shown, columns);
  return shown.flatMap((row) => sideBySide(row, widths));
}

function longestWord(text: string): number {
  return Math.max(...text.split(' ').map(visibleLength));
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

/** Widths from `least` to `most` that fit: the widest columns give way first. Null if none do. */
function fitted(most: readonly number[], least: readonly number[], room: number): number[] | null {
  if (sum(least) > room) return null;
  const widths = [...most];
  while (sum(widths) > room) {
    const shrinkable = widths.map((width, k) => (width > least[k] ? width : 0));
    widths[shrinkable.indexOf(Math.max(...shrinkable))]--;
  }
  return widths;
}

function sideBySide(row: readonly string[], widths: readonly number[]): string[] {
  const cells = widths.map((width, k) => wrap(row[k] ?? '', width));
  const height = Math.max(...cells.map((lines) => lines.length));
  return Array.from({ length: height }, (_, i) =>
    widths
      .map((width, k) => {
        const text = cells[k][i] ?? '';
        return text + ' '.repeat(Math.max(0, width - visibleLength(text)));
      })
      .join(' '.repeat(GAP))
      .trimEnd(),
  );
}

function asLists([head, ...rows]: readonly (readonly string[])[], columns: number): string[] {
  return rows.flatMap((row) =>
    row.flatMap((cell, k) => {
      const text = cell === '' ? '' : `${k === 0 ? '' : '  '}${head[k]}: ${cell}`;
      return text === '' ? [] : wrap(text, columns, 4);
    }),
  );
}
