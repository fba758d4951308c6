import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const SCRIPT = fileURLToPath(new URL('../../scripts/test_all.mjs', import.meta.url));

function testAll(args: string[], env: Record<string, string>) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [SCRIPT, ...args], {
    encoding: 'utf8',
    env: { ...process.env, TILEGRAD_REQUIRE_ALL: '', ...env },
  });
  return { status, stderr, lines: stdout.trimEnd().split('\n') };
}

it('says why a part is skipped, and counts it as failed where none may be', () => {
  const CHROMIUM = '/nowhere/chromium';
  const { lines } = testAll(['browser'], { CHROMIUM });
  expect(lines).toContain('skipped: browser: /nowhere/chromium does not start');
  expect(lines.at(-1)).toBe('0 passed, 0 failed, 1 skipped');
  const required = testAll(['browser'], { CHROMIUM, TILEGRAD_REQUIRE_ALL: '1' });
  expect(required.lines.at(-1)).toBe('0 passed, 1 failed');
  expect(required.status).toBe(1);
});

it('names the parts there are', () => {
  const { status, stderr } = testAll(['netscape'], {});
  expect(status).toBe(2);
  expect(stderr).toMatch(/^test:all: no part is called "netscape"\nfix: name some of .*browser/);
});
