// Reads damaged files with every reader of the program: node scripts/fuzz.mjs [--count N] [--seed N] [--first N].
// A case is its seed and number, so that `--seed S --first CASE --count 1` does it again. Ends with 1 where a reader
// threw what is not the program's own error, said something odd, hung, or died.

import { build } from 'esbuild';
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { ROOT } from './setup_lib.mjs';

const HANG_SECONDS = 20;

/**
 * The HDF5 library keeps memory of files that it could not read, and stops working once its heap is
 * full: after some 40,000 damaged ones, where a program opens a few.
 */
const CASES_A_PROCESS = 10_000;

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
    first: { type: 'string', default: '0' },
  },
});
const [count, seed, first] = [values.count, values.seed, values.first].map(Number);
const program = join(ROOT, 'node_modules', '.cache', 'tilegrad-fuzz', 'child.mjs');

mkdirSync(join(program, '..'), { recursive: true });
await build({
  absWorkingDir: ROOT,
  entryPoints: [join(ROOT, 'test', 'fuzz', 'child.ts')],
  bundle: true,
  format: 'esm',
  platform: 'node',
  packages: 'external',
  alias: { '#platform': join(ROOT, 'src', 'gpu', 'platform', 'node.ts') },
  outfile: program,
  logLevel: 'warning',
});

/** @type {string[]} */
let subjects = [];
let failures = 0;

/** @param {number} index @param {string} problem */
function report(index, problem) {
  failures++;
  console.log(`case ${index} (${subjects[index % subjects.length]}): ${problem}`);
}

/**
 * Runs cases until one ends the process.
 *
 * @param {number} from
 * @param {number} end
 * @returns {Promise<number>} the next case
 */
function runFrom(from, end) {
  const child = spawn(process.execPath, [program, ...[seed, from, end].map(String)], {
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
  });
  let at = from;
  let isHung = false;
  const giveUp = () => {
    isHung = true;
    child.kill('SIGKILL');
  };
  let timer = setTimeout(giveUp, 10 * HANG_SECONDS * 1000);
  const lines = createInterface({
    input: /** @type {import('node:stream').Readable} */ (child.stdio[3]),
  });
  lines.on('line', (line) => {
    clearTimeout(timer);
    timer = setTimeout(giveUp, HANG_SECONDS * 1000);
    const said = JSON.parse(line);
    if (typeof said === 'number') at = said;
    else if (said.subjects) subjects = said.subjects;
    else report(said.failure.index, said.failure.problem);
  });
  return new Promise((resolve) => {
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      if (code === 0) return resolve(end);
      report(at, isHung ? `no end in ${HANG_SECONDS} s` : `the process died: ${code ?? signal}`);
      resolve(at + 1);
    });
  });
}

for (let at = first; at < first + count;) {
  at = await runFrom(at, Math.min(at + CASES_A_PROCESS, first + count));
}
console.log(`${count} damaged files, ${subjects.length} kinds, ${failures} failures`);
process.exitCode = failures > 0 ? 1 : 0;
