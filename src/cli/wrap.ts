/** Columns that a text takes, its styles aside. */
export function visibleLength(text: string): number {
  return [...text.replace(/\u001b\[\d+m/g, '')].length;
}

/**
 * Lines of at most `columns`, longer only where one word is. The first begins with the spaces that the
 * text does, the others with `indent` of them.
 */
export function wrap(text: string, columns: number, indent = 0): string[] {
  const lines: string[] = [];
  const [first, ...rest] = text.trimStart().split(' ');
  let line = text.slice(0, text.length - text.trimStart().length) + first;
  for (const word of rest) {
    if (visibleLength(line) + 1 + visibleLength(word) > columns) {
      lines.push(line);
      line = ' '.repeat(indent) + word;
    } else line += ` ${word}`;
  }
  return [...lines, line];
}
