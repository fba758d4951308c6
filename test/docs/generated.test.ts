import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { generatedPages } from '../../scripts/docs.mjs';
import { records } from '../../src/autograd/ops/index.js';
import { pageStem } from '../../src/cli/op_pages.js';

test.each([...generatedPages(records, pageStem)])('%s is what it is made from', (path, text) => {
  const written = readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8').split('\n');
  const made = text.split('\n');
  const line = made.findIndex((wanted, index) => wanted !== written[index]);
  const at = line === -1 ? made.length : line;
  const isSame = line === -1 && made.length === written.length;
  expect(
    isSame,
    `${path}:${at + 1} has drifted from what it is made from: run \`npm run docs\` and commit it.\n` +
      `  there  ${written[at] ?? '(its end)'}\n  made   ${made[at] ?? '(its end)'}`,
  ).toBe(true);
});
