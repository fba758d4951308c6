import { describe, expect, it, test } from 'vitest';
import { records } from '../../src/autograd/ops/index.js';
import { pageOf } from '../../src/cli/explain.js';
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

describe('renderMarkdown', () => {
  const bold = (text: string): string => `\u001b[1m${text}\u001b[0m`;
  const italic = (text: string): string => `\u001b[3m${text}\u001b[0m`;
  const code = (text: string): string => `\u001b[36m${text}\u001b[0m`;

  it('leaves text for a pipe as it is', () => {
    expect(renderMarkdown('# a *b*\n', false)).toBe('# a *b*\n');
    expect(renderMarkdown('a', false)).toBe('a\n');
  });

  it.each([
    ['## The `x` of it', bold('The x of it')],
    ['a `b * c` and **d**', `a ${code('b * c')} and ${bold('d')}`],
    ['this _is_ and *was*', `this ${italic('is')} and ${italic('was')}`],
    ['snake_case_name, 2 * 3 * 4', 'snake_case_name, 2 * 3 * 4'],
    ['see [matmul](matmul.md)', 'see matmul'],
    ['    y = a * b * c', code('    y = a * b * c')],
    ['```ts\nf(a_b_c);\n```\nend', `${code('    f(a_b_c);')}\nend`],
    [
      '| op | y |\n| --- | --- |\n| `neg` | −x |\n| square | x² |',
      `${bold('op')}      ${bold('y')}\n${code('neg')}     −x\nsquare  x²`,
    ],
  ])('shows %j on a terminal', (text, wanted) => {
    expect(renderMarkdown(text, true)).toBe(`${wanted}\n`);
  });
});
