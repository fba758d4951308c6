import { existsSync } from 'node:fs';
import { describe, expect, it, test } from 'vitest';
import { records } from '../../src/autograd/ops/index.js';
import { pageDocument, pageOf } from '../../src/cli/explain.js';
import { pageStem } from '../../src/cli/op_pages.js';
import { renderMarkdown } from '../../src/cli/render_markdown.js';
import { ops } from '../../src/index.js';

describe('explain', () => {
  const names = [...new Set([...Object.keys(records), ...Object.keys(ops)])];
  test.each(names.filter((name) => name !== 'list'))('has a page on %s that names it', (name) => {
    const page = pageOf(name);
    expect(page).toMatch(/^# /);
    // `activate` applies whichever of the functions its argument names.
    if (name === 'activate') return;
    expect(page).toMatch(new RegExp(`\\b${name}\\b|\\b${pageStem(name)}_`, 'i'));
  });

  it('takes every spelling of a name', () => {
    for (const name of ['batchNorm', 'batch-norm', 'batch_norm', 'BatchNorm']) {
      expect(pageOf(name)).toBe(pageOf('batchNorm'));
    }
    expect(pageOf('max-pool2d')).toBe(pageOf('avgPool2d'));
  });

  it.each(['conv9d', '../index', 'constructor', ''])('refuses "%s" and lists the pages', (name) => {
    const known = 'there are pages on arg_max, augment, batch_norm, binary, binary_cross_entropy';
    expect(() => pageOf(name)).toThrow(`explain: no op named "${name}"; ${known}`);
  });
});

it('takes a page apart for a program', () => {
  const { page, title, sections, files } = pageDocument('batch-norm', pageOf('batchNorm'));
  expect([page, title]).toEqual(['batch_norm', 'batch_norm']);
  expect(sections[0].title).toBe('');
  expect(sections.map((section) => section.title)).toContain('Backward');
  expect(sections.every(({ text }) => !text.includes('\n## '))).toBe(true);
  expect(files.length).toBeGreaterThan(0);
  for (const file of files) expect(existsSync(file), file).toBe(true);
});

describe('renderMarkdown', () => {
  const bold = (text: string): string => `\u001b[1m${text}\u001b[0m`;
  const italic = (text: string): string => `\u001b[3m${text}\u001b[0m`;
  const code = (text: string): string => `\u001b[36m${text}\u001b[0m`;

  const wide = { columns: 200, hasColour: true };
  /** On a terminal of 60 columns, without styles. */
  const narrow = (text: string): string => renderMarkdown(text, { columns: 60, hasColour: false });

  it.each([
    ['## The `x` of it', bold('The x of it')],
    ['a `b * c` and **d**', `a ${code('b * c')} and ${bold('d')}`],
    ['this _is_ and *was*', `this ${italic('is')} and ${italic('was')}`],
    ['snake_case_name, 2 * 3 * 4', 'snake_case_name, 2 * 3 * 4'],
    ['see [matmul](matmul.md)', 'see matmul'],
    ['[conv2d_naive](../../shaders/conv2d_naive.wgsl)', code('shaders/conv2d_naive.wgsl')],
    ['[tile.ts](../../src/kernels/tile.ts)', code('src/kernels/tile.ts')],
    ['[the last](../../shaders/x.wgsl)', `the last (${code('shaders/x.wgsl')})`],
    ['one\ntwo', 'one two'],
    ['- one\n  two\n- three', '- one two\n- three'],
    ['    y = a * b * c', code('    y = a * b * c')],
    ['```ts\nf(a_b_c);\n```\nend', `${code('    f(a_b_c);')}\nend`],
    [
      '| op | y |\n| --- | --- |\n| `neg` | −x |\n| square | x² |',
      `${bold('op')}      ${bold('y')}\n${code('neg')}     −x\nsquare  x²`,
    ],
  ])('shows %j on a terminal', (text, wanted) => {
    expect(renderMarkdown(text, wide)).toBe(`${wanted}\n`);
  });

  it('wraps prose at words, and tables within their columns', () => {
    const name = 'shaders/conv2d_forward_subgroup_matrix.wgsl';
    const item = `- ${'word '.repeat(9)}[it](../../${name}) and so on and on`;
    expect(narrow(item).trimEnd().split('\n')).toEqual([
      '- word word word word word word word word word it',
      `  (${name}) and so on`,
      '  and on',
    ]);
    const table = `| op | what |\n| --- | --- |\n| square | ${'word '.repeat(14)}|\n`;
    expect(narrow(table).trimEnd().split('\n')).toEqual([
      'op      what',
      `square  ${'word '.repeat(10).trim()}`,
      `        ${'word '.repeat(4).trim()}`,
    ]);
  });

  it('lists the cells of a table whose words do not fit side by side', () => {
    const long = 'a'.repeat(35);
    expect(narrow(`| x | y |\n| - | - |\n| ${long} | ${long} |`)).toBe(
      `x: ${long}\n  y: ${long}\n`,
    );
  });

  it('keeps every page within 60 columns, but for code and names longer than that', () => {
    for (const op of ['conv2d', 'batchNorm', 'relu', 'matmul']) {
      for (const line of narrow(pageOf(op)).split('\n')) {
        if (line.startsWith('    ')) continue;
        const isOneWord = !line.trim().includes(' ');
        expect(line.length <= 60 || isOneWord, line).toBe(true);
      }
    }
  });
});
