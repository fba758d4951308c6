// What the checkers share.

import { pathToFileURL } from 'node:url';
import { ROOT } from './setup_lib.mjs';

/**
 * Lets a checker be run by itself: `node scripts/check_imports.mjs [folder]` prints what it finds and exits with 1
 * when that is anything.
 *
 * @param {string} moduleUrl import.meta.url of the checker
 * @param {(root: string) => string[] | Promise<string[]>} check
 */
export async function runAsProgram(moduleUrl, check) {
  if (!process.argv[1] || moduleUrl !== pathToFileURL(process.argv[1]).href) return;
  const failures = await check(process.argv[2] ?? ROOT);
  for (const failure of failures) console.log(failure);
  process.exitCode = failures.length > 0 ? 1 : 0;
}
