import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

it('computes and trains in Chromium as in Node', () => {
  const script = fileURLToPath(new URL('../../scripts/browser_check.mjs', import.meta.url));
  const { status, stdout, stderr } = spawnSync(process.execPath, [script], {
    encoding: 'utf8',
    timeout: 280_000,
  });
  expect(status, stderr).toBe(0);
  expect(stdout).toMatch(/^conv2d +forward and backward: \d+ numbers equal the reference$/m);
  expect(stdout).toMatch(/^training +loss .*, as in Node$/m);
}, 290_000);
