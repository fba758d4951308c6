import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { EventWriter } from '../../src/io/tensorboard.js';

const { TILEGRAD_PYPI_PYTHON: python = 'python3' } = process.env;

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tilegrad-tensorboard-'));
  // Killed after step 4, resumed at 2, killed again and resumed at 3.
  const write = (session: number, steps: number[], options: { resumedAt?: number }): void => {
    const writer = new EventWriter(join(folder, 'train'), options);
    for (const step of steps) writer.scalar('loss', 10 * session + step, step);
  };
  write(1, [0, 1, 2, 3, 4], {});
  write(2, [2, 3], { resumedAt: 2 });
  write(3, [3, 4, 5], { resumedAt: 3 });
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The curve as TensorBoard's page gets it: step and value. */
async function curve(flag: string): Promise<number[][]> {
  const args = ['-m', 'tensorboard.main', '--logdir', folder, '--port', '0', '--host', '127.0.0.1'];
  const server = spawn(python, [...args, flag], { stdio: ['ignore', 'ignore', 'pipe'] });
  const exit = once(server, 'exit');
  let said = '';
  server.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  try {
    for (const end = Date.now() + 100_000; Date.now() < end; await sleep(300)) {
      const url = /http:\/\/127\.0\.0\.1:\d+/.exec(said)?.[0];
      if (!url) continue;
      const response = await fetch(`${url}/data/plugin/scalars/scalars?tag=loss&run=train`);
      // Until the files are read there is no such run.
      if (!response.ok) continue;
      const points = (await response.json()) as number[][];
      if (points.at(-1)?.[1] === 5) return points.map(([, step, value]) => [step, value]);
    }
    throw new Error(`TensorBoard shows no curve up to step 5: ${said}`);
  } finally {
    server.kill();
    await exit;
  }
}

it.each(['--load_fast=true', '--load_fast=false'])(
  'a run resumed twice is one curve, with %s',
  async (flag) => {
    expect(await curve(flag)).toEqual([
      [0, 10],
      [1, 11],
      [2, 22],
      [3, 33],
      [4, 34],
      [5, 35],
    ]);
  },
  120_000,
);
