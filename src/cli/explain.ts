import type { Command } from 'commander';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { UsageError } from '../gpu/errors.js';
import { isTerminal, printStyled } from './output.js';
import { pageStem } from './op_pages.js';
import { withCommon } from './options.js';
import { renderMarkdown } from './render_markdown.js';

const folder = new URL('../../docs/ops/', import.meta.url);

export function explainCommand(program: Command): void {
  withCommon(
    program
      .command('explain')
      .description('how an op works: formula, loops, kernels, backward')
      .argument('<op>', 'for example conv2d, batchNorm, relu'),
    { json: false },
  ).action((op: string) => {
    printStyled(renderMarkdown(pageOf(op), isTerminal()));
  });
}

/**
 * The text of the page on an op.
 *
 * Errors: UsageError with the pages there are.
 */
export function pageOf(op: string): string {
  const stem = pageStem(op);
  const url = new URL(`${stem}.md`, folder);
  if (/^\w+$/.test(stem) && existsSync(url)) return readFileSync(url, 'utf8');
  const pages = readdirSync(folder).map((file) => file.replace(/\.md$/, ''));
  throw new UsageError(
    `explain: no op named "${op}"; there are pages on ${pages.sort().join(', ')}`,
  );
}
