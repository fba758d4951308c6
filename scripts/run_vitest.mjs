// Runs vitest and counts its tests.

import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runNode } from './process.mjs';
import { ROOT } from './setup_lib.mjs';
import { countTests } from './test_summary.mjs';

/**
 * @param {string[]} args of `vitest run`
 * @param {NodeJS.ProcessEnv} env
 * @param {number} [limitMs] how long it may take; beyond that it is stopped and counts as failed
 * @returns {Promise<{ counts: import('./test_summary.mjs').Counts, ending: import('./process.mjs').Ending }>}
 */
export async function runVitest(args, env, limitMs) {
  const folder = mkdtempSync(join(tmpdir(), 'tilegrad-test-'));
  const path = join(folder, 'report.json');
  const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${path}`];
  const ending = await runNode([vitest, 'run', ...reporters, ...args], env, limitMs);
  const report = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : null;
  rmSync(folder, { recursive: true });
  const { remark, ...counts } = countTests(report, ending.code ?? 1);
  if (remark && !ending.signal) console.log(remark);
  return { counts, ending };
}
