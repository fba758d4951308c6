import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import type { Module, StateValue } from '../../../src/nn/index.js';

/** A folder that goes away after the file's tests. */
export function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'tilegrad-weights-'));
  afterAll(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

/** Gives every tensor of a network other values, as training would; variances stay above 0. */
export function scatter(model: Module): void {
  const state = new Map<string, StateValue>();
  let n = 0;
  for (const [name, tensor] of model.stateDict()) {
    const data = Float32Array.from({ length: tensor.size }, () => {
      const value = Math.sin(++n * 12.9898) * 0.3;
      return /gamma|Variance/.test(name) ? 1 + value : value;
    });
    state.set(name, { shape: tensor.shape, data });
  }
  model.loadStateDict(state);
}

/** All values of a network by name. */
export async function valuesOf(model: Module): Promise<Map<string, number[]>> {
  const values = new Map<string, number[]>();
  for (const [name, tensor] of model.stateDict()) values.set(name, Array.from(await tensor.data()));
  return values;
}

/** The values as a saved state has them. */
export async function savedState(
  model: Module,
): Promise<Map<string, { shape: readonly number[]; data: Float32Array }>> {
  const state = new Map<string, { shape: readonly number[]; data: Float32Array }>();
  for (const [name, tensor] of model.stateDict()) {
    state.set(name, { shape: [...tensor.shape], data: (await tensor.data()) as Float32Array });
  }
  return state;
}

/** Pixels that differ from each other: 0.5 + 0.5·sin. */
export function pixels(count: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => 0.5 + 0.5 * Math.sin(i * 0.7 + 1));
}

export interface Python {
  /** Runs a program with arguments; its standard output. Throws with its standard error. */
  run(program: string, ...args: string[]): string;
}

/**
 * A Python that has the modules, TILEGRAD_PYTHON or one that is installed; null where there is none,
 * and then tests with it are skipped. With TILEGRAD_REQUIRE_READERS set, none is an error: a build
 * server must not skip them unseen.
 */
export function pythonWith(...modules: string[]): Python | null {
  const { TILEGRAD_PYTHON: chosen } = process.env;
  const names = chosen ? [chosen] : ['python3', '/usr/bin/python3', 'python'];
  const importing = `import ${modules.join(', ')}`;
  const command = names.find(
    (name) => spawnSync(name, ['-c', importing], { stdio: 'ignore' }).status === 0,
  );
  if (command) {
    return {
      run(program, ...args) {
        const { status, stdout, stderr } = spawnSync(command, ['-c', program, ...args], {
          encoding: 'utf8',
          maxBuffer: 2 ** 28,
        });
        if (status !== 0) throw new Error(`python: ${stderr}`);
        return stdout;
      },
    };
  }
  if (process.env.TILEGRAD_REQUIRE_READERS) {
    throw new Error(
      `TILEGRAD_REQUIRE_READERS is set, but no python3 here can ${importing}; on Debian: apt-get install ${modules.map((name) => `python3-${name}`).join(' ')}`,
    );
  }
  return null;
}

/** For the title of a suite that is skipped. */
export function reason(python: Python | null, modules: string): string {
  return python ? '' : ` (skipped: no python3 here imports ${modules})`;
}
