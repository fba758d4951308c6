/* How tables are set: aligned for a terminal, or separated by tabs for the next program. */

export const WIDTH = 100;

export type Column<Row> = readonly [title: string, text: (row: Row) => string, isText?: boolean];

export function tableLines<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  isTerminal: boolean,
): string[] {
  const cells = [
    columns.map(([title]) => title),
    ...rows.map((row) => columns.map((c) => c[1](row))),
  ];
  if (!isTerminal) return cells.map((line) => line.join('\t'));
  const widths = columns.map((_, i) => Math.max(...cells.map((line) => line[i].length)));
  const pad = (text: string, i: number): string =>
    columns[i][2] ? text.padEnd(widths[i]) : text.padStart(widths[i]);
  return ['', ...cells.map((line) => line.map(pad).join('  ').trimEnd())];
}

/** Breaks a long remark between words; what follows is indented. */
export function wrap(text: string): string {
  const lines: string[] = [];
  for (const word of text.split(/(?<=\S) /)) {
    const line = lines.at(-1);
    if (line !== undefined && line.length + 1 + word.length <= WIDTH) {
      lines[lines.length - 1] = `${line} ${word}`;
    } else lines.push(line === undefined ? word : `  ${word}`);
  }
  return lines.join('\n');
}

/** Three or four digits that matter, whatever the size. */
export function number(value: number | null): string {
  if (value === null) return '–';
  if (value >= 1000) return value.toFixed(0);
  if (value >= 100) return value.toFixed(1);
  if (value >= 1) return value.toFixed(2);
  return value.toFixed(3);
}

export function mebibytes(bytes: number): string {
  return `${number(bytes / 2 ** 20)} MiB`;
}
