import { existsSync } from 'node:fs';
import { describe, expect, it, test } from 'vitest';
import { derivativesPage, PAGE } from '../../scripts/docs.mjs';
import { records } from '../../src/autograd/ops/index.js';
import { pageStem } from '../../src/cli/op_pages.js';

const root = new URL('../../', import.meta.url);

describe(PAGE, () => {
  it('has a section for every op, with its formulas', () => {
    const page = derivativesPage(records, pageStem);
    for (const [name, record] of Object.entries(records)) {
      const from = page.indexOf(`### [${name}](ops/`);
      expect(from, name).toBeGreaterThan(0);
      const section = page.slice(from, page.indexOf('\nSource:', from));
      for (const formula of Object.values(record.derivatives)) expect(section).toContain(formula);
    }
  });

  it('does not leave out an op that has no group', () => {
    const conv3d = { name: 'conv3d', inputs: {}, derivatives: {}, source: 'none' };
    expect(() => derivativesPage({ conv3d }, pageStem)).toThrow(
      'docs/derivatives.md: give conv3d a group in scripts/docs.mjs',
    );
  });
});

describe('a record', () => {
  test.each(Object.entries(records))('%s: listed by its name, with its page', (key, record) => {
    expect(record.name).toBe(key);
    expect(existsSync(new URL(`docs/ops/${pageStem(key)}.md`, root))).toBe(true);
  });

  test.each(Object.entries(records))('%s: formulas are of its own inputs', (_, record) => {
    const unknown = Object.keys(record.derivatives).filter((name) => !(name in record.inputs));
    expect(unknown).toEqual([]);
    for (const formula of Object.values(record.derivatives)) expect(formula).toMatch(/\bd\w+.* = /);
  });
});
