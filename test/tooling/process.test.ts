import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeProject } from './fixture.js';

const MODULE = new URL('../../scripts/process.mjs', import.meta.url).href;
const RUNNER = `import { endLike, runNode } from '${MODULE}';
endLike(await runNode([process.argv[2]], process.env));`;

/** Runs `program` through runNode; sends `signal` once it says something. */
function run(program: string, signal?: NodeJS.Signals): Promise<[number | null, string | null]> {
  const root = makeProject({ 'runner.mjs': RUNNER, 'program.mjs': program });
  const child = spawn(process.execPath, [join(root, 'runner.mjs'), join(root, 'program.mjs')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (signal) child.stdout.once('data', () => child.kill(signal));
  return new Promise((resolve) => child.on('exit', (code, name) => resolve([code, name])));
}

test.each([0, 1, 2])('exit code %d is passed on', async (code) => {
  expect(await run(`process.exitCode = ${code};`)).toEqual([code, null]);
});

test.each(['SIGINT', 'SIGTERM'] as const)(
  '%s reaches a program that answers it',
  async (signal) => {
    const program = `process.once('${signal}', () => process.exit(7));
setTimeout(() => {}, 30_000);
console.log('ready');`;
    expect(await run(program, signal)).toEqual([7, null]);
  },
);

test('the end by a signal is passed on', async () => {
  const program = "setTimeout(() => {}, 30_000); console.log('ready');";
  expect(await run(program, 'SIGTERM')).toEqual([null, 'SIGTERM']);
});
