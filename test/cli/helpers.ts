import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';
import { buildIsStale } from '../../scripts/setup.mjs';

// These tests run the built program: of an old build they would say nothing about the sources.
if (buildIsStale()) {
  throw new Error('dist/ is not the build of these sources; run node scripts/setup.mjs first');
}

const program = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

export interface Finished {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface Running {
  child: ChildProcess;
  /** Standard error so far. */
  said(): string;
  done: Promise<Finished>;
}

type Output = 'pipe' | number;

interface StartOptions {
  cwd?: string;
  /** Where its output goes: into pipes, or open files. */
  stdout?: Output;
  stderr?: Output;
}

/** Starts the built program as a person would. */
export function start(
  args: readonly string[],
  { cwd, stdout: out = 'pipe', stderr: err = 'pipe' }: StartOptions = {},
): Running {
  const child = spawn(process.execPath, [program, ...args], {
    ...(cwd === undefined ? {} : { cwd }),
    stdio: ['ignore', out, err],
  });
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (data: Buffer) => (stdout += data.toString()));
  child.stderr?.on('data', (data: Buffer) => (stderr += data.toString()));
  const done = new Promise<Finished>((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  return { child, said: () => stderr, done };
}

export const run = (...args: string[]): Promise<Finished> => start(args).done;

/** Resolves when `condition` holds; fails after a minute. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  for (let waited = 0; waited < 60_000; waited += 50) {
    if (condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`waited a minute for ${what}`);
}

const folders: string[] = [];

/** A folder that goes away after the file's tests. */
export function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'tilegrad-cli-'));
  folders.push(made);
  return made;
}

afterAll(() => folders.forEach((made) => rmSync(made, { recursive: true, force: true })));
