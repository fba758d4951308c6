const CODE = '36';
const BOLD = '1';
const ITALIC = '3';

/** Code spans first, so that nothing inside them counts; then links, bold, emphasis. */
const INLINE =
  /`([^`]+)`|\[([^\]]+)\]\([^)]+\)|\*\*(.+?)\*\*|(?<![\w*])\*(?![\s*])([^*]+?)\*(?!\w)|(?<!\w)_(?!\s)([^_]+?)_(?!\w)/g;

/** Markdown for the terminal: headings, code, tables and emphasis there, as it is in a pipe. */
export function renderMarkdown(text: string, isTerminal: boolean): string {
  if (!isTerminal) return text.endsWith('\n') ? text : `${text}\n`;
  const lines = text.trimEnd().split('\n');
  const out: string[] = [];
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i];
    if (line.startsWith('```')) {
      for (i++; i < lines.length && !lines[i].startsWith('```'); i++) {
        out.push(style(CODE, `    ${lines[i]}`));
      }
    } else if (line.startsWith('|')) {
      const from = i;
      while (lines[i + 1]?.startsWith('|')) i++;
      out.push(...renderTable(lines.slice(from, i + 1)));
    } else if (/^ {4}/.test(line)) {
      out.push(style(CODE, line));
    } else {
      const heading = /^#+\s+(.*)$/.exec(line);
      out.push(heading ? style(BOLD, plain(heading[1])) : inline(line));
    }
  }
  return `${out.join('\n')}\n`;
}

function style(code: string, content: string): string {
  return `\u001b[${code}m${content}\u001b[0m`;
}

function inline(line: string): string {
  return line.replace(INLINE, (_, code?: string, link?: string, bold?: string, ...rest) => {
    if (code !== undefined) return style(CODE, code);
    if (link !== undefined) return inline(link);
    if (bold !== undefined) return style(BOLD, plain(bold));
    return style(ITALIC, plain(String(rest[0] ?? rest[1])));
  });
}

/** The text alone, without marks. */
function plain(line: string): string {
  return line.replace(INLINE, (_, ...groups) =>
    plain(String(groups.slice(0, 5).find((group) => group !== undefined))),
  );
}

/** Columns as wide as their widest cell; the first row is the heading. */
function renderTable(lines: readonly string[]): string[] {
  const rows = lines
    .filter((line) => !/^\|[\s:|-]+\|?$/.test(line))
    .map((line) => line.replace(/^\||\|\s*$/g, '').split(/(?<!\\)\|/))
    .map((cells) => cells.map((cell) => cell.trim().replaceAll('\\|', '|')));
  const widths = rows[0].map((_, column) =>
    Math.max(...rows.map((row) => plain(row[column] ?? '').length)),
  );
  return rows.map((row, i) =>
    row
      .map((cell, column) => {
        const shown = i === 0 ? style(BOLD, plain(cell)) : inline(cell);
        return shown + ' '.repeat(Math.max(0, (widths[column] ?? 0) - plain(cell).length));
      })
      .join('  ')
      .trimEnd(),
  );
}
