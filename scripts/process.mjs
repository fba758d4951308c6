// Running a program in the place of this one: its output, its signals, its way of ending.

import { spawn } from 'node:child_process';

/** @typedef {{ code: number | null, signal: NodeJS.Signals | null }} Ending */

/**
 * Runs Node with `argv`, sharing the terminal, and hands signals on to it.
 *
 * @param {string[]} argv
 * @param {NodeJS.ProcessEnv} env
 * @param {number} [limitMs] after which it is ended by SIGTERM
 * @returns {Promise<Ending>}
 */
export function runNode(argv, env, limitMs) {
  const child = spawn(process.execPath, argv, { env, stdio: 'inherit', timeout: limitMs });
  /** @type {NodeJS.Signals[]} */
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  const forward = (/** @type {NodeJS.Signals} */ signal) => {
    // A terminal sends Ctrl-C to the child as well; a second one would read as impatience.
    if (signal === 'SIGINT' && process.stdin.isTTY) return;
    child.kill(signal);
  };
  for (const signal of signals) process.on(signal, forward);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      for (const name of signals) process.off(name, forward);
      resolve({ code, signal });
    });
  });
}

/**
 * Ends this process as the child ended.
 *
 * @param {Ending} ending
 */
export function endLike({ code, signal }) {
  if (signal) process.kill(process.pid, signal);
  else process.exitCode = code ?? 1;
}
