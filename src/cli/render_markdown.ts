/** Markdown for the terminal: headings, code and emphasis in colour there, plain in a pipe. */
export function renderMarkdown(text: string, isTerminal: boolean): string {
  if (!isTerminal) return text.endsWith('\n') ? text : `${text}\n`;
  const style = (code: string, content: string): string => `\u001b[${code}m${content}\u001b[0m`;
  let isCode = false;
  const lines = text.trimEnd().split('\n');
  const out: string[] = [];
  for (const line of lines) {
    if (line.startsWith('```')) {
      isCode = !isCode;
      continue;
    }
    if (isCode) {
      out.push(style('36', `    ${line}`));
      continue;
    }
    const heading = /^#+\s+(.*)$/.exec(line);
    if (heading) {
      out.push(style('1', heading[1]));
      continue;
    }
    out.push(
      line
        .replace(/`([^`]+)`/g, (_, code: string) => style('36', code))
        .replace(/\*\*([^*]+)\*\*/g, (_, bold: string) => style('1', bold)),
    );
  }
  return `${out.join('\n')}\n`;
}
