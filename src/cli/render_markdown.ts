import { renderTable } from './render_table.js';
import { wrap } from './wrap.js';

const CODE = '36';
const BOLD = '1';
const ITALIC = '3';

/** Code spans first, so that nothing inside them counts; then links, bold, emphasis. */
const INLINE =
  /`([^`]+)`|\[([^\]]+)\]\(([^)]+)\)|\*\*(.+?)\*\*|(?<![\w*])\*(?![\s*])([^*]+?)\*(?!\w)|(?<!\w)_(?!\s)([^_]+?)_(?!\w)/g;

/** What the text is shown on. */
export interface Terminal {
  /** Columns a line may have. */
  columns: number;
  hasColour: boolean;
}

/**
 * Markdown for a terminal: headings, code, tables and emphasis, with prose and tables as wide as it
 * is. A word is never broken, so that the names of files can be copied; code keeps its lines.
 */
export function renderMarkdown(text: string, terminal: Terminal): string {
  const inline = inlineStyles(terminal.hasColour);
  const { style, plain } = inline;
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
      out.push(...renderTable(lines.slice(from, i + 1), terminal.columns, inline));
    } else if (/^ {4}/.test(line)) {
      out.push(style(CODE, line));
    } else if (/^#+\s/.test(line)) {
      out.push(...wrap(style(BOLD, plain(line.replace(/^#+\s+/, ''))), terminal.columns));
    } else if (line === '') {
      out.push('');
    } else {
      const from = i;
      while (isMore(lines[i + 1])) i++;
      const joined = lines
        .slice(from, i + 1)
        .map((part) => part.trim())
        .join(' ');
      const [lead] = /^ */.exec(line)!;
      const indent = lead.length + hangingIndent(joined);
      out.push(...wrap(lead + inline.styled(joined), terminal.columns, indent));
    }
  }
  return `${out.join('\n')}\n`;
}

/** Whether a line continues with the paragraph or the item before it. */
function isMore(line: string | undefined): boolean {
  return line !== undefined && line !== '' && !/^(```|\||#+\s| {4}|\s*([-*]|\d+\.)\s)/.test(line);
}

/** Columns that the lines of an item after its first stand further in. */
function hangingIndent(paragraph: string): number {
  return /^([-*]|\d+\.)\s+/.exec(paragraph)?.[0].length ?? 0;
}

export interface InlineStyles {
  style: (code: string, content: string) => string;
  /** A text with its marks as styles. */
  styled: (text: string) => string;
  /** A text without its marks. */
  plain: (text: string) => string;
  bold: (text: string) => string;
}

function inlineStyles(hasColour: boolean): InlineStyles {
  const style = (code: string, content: string): string =>
    hasColour ? `\u001b[${code}m${content}\u001b[0m` : content;
  const styled = (line: string): string =>
    line.replace(INLINE, (_, code?: string, link?: string, target?: string, ...rest) => {
      if (code !== undefined) return style(CODE, code);
      if (link !== undefined) return styled(linkText(link, target!));
      const [bold, starred, underlined] = rest as (string | undefined)[];
      if (bold !== undefined) return style(BOLD, plain(bold));
      return style(ITALIC, plain(String(starred ?? underlined)));
    });
  const plain = (line: string): string =>
    line.replace(INLINE, (_, code?: string, link?: string, target?: string, ...rest) => {
      if (code !== undefined) return code;
      if (link !== undefined) return plain(linkText(link, target!));
      return plain(String((rest as (string | undefined)[]).slice(0, 3).find(Boolean)));
    });
  return { style, styled, plain, bold: (text) => style(BOLD, text) };
}

/** What stands for a link: a file by its path in the package, another page by its name alone. */
function linkText(text: string, target: string): string {
  if (/^[a-z]+:/.test(target)) return `${text} (${target})`;
  if (!target.startsWith('../')) return text;
  const path = target.replace(/^(\.\.\/)+/, '');
  const name = path.replace(/^.*\//, '');
  return path.endsWith(`/${text}`) || name.replace(/\.\w+$/, '') === text
    ? `\`${path}\``
    : `${text} (\`${path}\`)`;
}
