// `npm test`: sets the checkout up, runs vitest with the arguments given, and ends with one line that a program can
// read: `N passed, N failed`, with `, N skipped` where tests were skipped.

import { endLike } from './process.mjs';
import { runVitest } from './run_vitest.mjs';
import { setUp } from './setup.mjs';
import { orExit } from './setup_lib.mjs';
import { summarise } from './test_summary.mjs';

const env = orExit(() => setUp());
const { counts, ending } = await runVitest(process.argv.slice(2), env);
if (ending.signal) {
  endLike(ending);
} else {
  const { line, ok } = summarise(counts);
  console.log(line);
  process.exitCode = ok ? 0 : ending.code || 1;
}
