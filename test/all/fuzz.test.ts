import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

it('answers 20,000 damaged files with errors of its own', () => {
  const script = fileURLToPath(new URL('../../scripts/fuzz.mjs', import.meta.url));
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [script, '--count', '20000', '--seed', '2'],
    { encoding: 'utf8', timeout: 560_000 },
  );
  expect(status, stdout + stderr).toBe(0);
}, 570_000);
