import type { Command } from 'commander';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { UsageError } from '../errors.js';
import { didYouMean } from '../gpu/nearest_name.js';
import { isTerminal, printJson, printStyled, standardOutput } from './output.js';
import { opNames, pageStem } from './op_pages.js';
import { withCommon, type CommonOptions } from './options.js';
import { renderMarkdown } from './render_markdown.js';

const folder = new URL('../../docs/ops/', import.meta.url);

export function explainCommand(program: Command): void {
  withCommon(
    program
      .command('explain')
      .description('how an op works: formula, loops, kernels, backward')
      .argument('<op>', 'for example conv2d, batchNorm, relu'),
  ).action((op: string, options: CommonOptions) => {
    const page = pageOf(op);
    if (options.json) printJson(pageDocument(op, page));
    else printStyled(isTerminal() ? renderMarkdown(page, standardOutput) : page);
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
    didYouMean(op, opNames(pages)),
  );
}

export interface PageDocument {
  op: string;
  page: string;
  title: string;
  sections: { title: string; text: string }[];
  /** Files of the package that the page links to: shaders and sources. */
  files: string[];
}

/** A page split into sections; the text before the first has an empty title. */
export function pageDocument(op: string, page: string): PageDocument {
  const [opening, ...rest] = page.split(/^## /m);
  const [, title = '', before = ''] = /^# (.*)\n([^]*)/.exec(opening) ?? [];
  const sections = rest.map((section) => {
    const end = section.indexOf('\n');
    return { title: section.slice(0, end).trim(), text: section.slice(end).trim() };
  });
  const links = [...page.matchAll(/\]\((?:\.\.\/)+([^)#]+)/g)].map(([, path]) => path);
  return {
    ...{ op, page: pageStem(op), title },
    sections: [{ title: '', text: before.trim() }, ...sections],
    files: [...new Set(links)],
  };
}
