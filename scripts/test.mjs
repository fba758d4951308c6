// `npm test`: sets the checkout up, runs vitest with the arguments given, and ends with one line that a program can
// read: `N passed, N failed`, with `, N skipped` where tests were skipped.

import { mkdtempSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setUp } from './setup.mjs';
import { orExit, ROOT } from './setup_lib.mjs';
import { endLike, runNode } from './process.mjs';
import { summarise } from './test_summary.mjs';

const env = orExit(() => setUp());
const folder = mkdtempSync(join(tmpdir(), 'tilegrad-test-'));
const reportPath = join(folder, 'report.json');
const ending = await runNode(
  [
    join(ROOT, 'node_modules', 'vitest', 'vitest.mjs'),
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${reportPath}`,
    ...process.argv.slice(2),
  ],
  env,
);
const report = existsSync(reportPath) ? JSON.parse(readFileSync(reportPath, 'utf8')) : null;
rmSync(folder, { recursive: true });

if (ending.signal) {
  endLike(ending);
} else {
  const { line, ok, remark } = summarise(report, ending.code ?? 1);
  if (remark) console.log(remark);
  console.log(line);
  process.exitCode = ok ? 0 : ending.code || 1;
}
