import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { differenceOf } from '../../scripts/small_training.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const HERE = fileURLToPath(new URL('./runtimes', import.meta.url));
const { TILEGRAD_BUN: bun = 'bun', TILEGRAD_DENO: deno = 'deno' } = process.env;

/** A program's folder, with the package among its dependencies. */
let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tilegrad-runtimes-'));
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(ROOT, join(folder, 'node_modules', 'tilegrad'), 'dir');
  const manifest = { type: 'module', dependencies: { tilegrad: '*' } };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
  copyFileSync(join(HERE, 'train.mjs'), join(folder, 'train.mjs'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function outputOf(command: string, ...args: string[]): unknown {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd: folder,
    encoding: 'utf8',
    timeout: 120_000,
    maxBuffer: 2 ** 26,
  });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr}`);
  return JSON.parse(stdout);
}

describe('a small CNN trained', () => {
  interface Training {
    description: string;
    losses: number[];
  }
  const trained = (command: string, ...flags: string[]): Training =>
    outputOf(
      command,
      ...flags,
      'train.mjs',
      join(ROOT, 'scripts', 'small_training.mjs'),
    ) as Training;
  let inNode: Training;
  beforeAll(() => {
    inNode = trained(process.execPath);
    expect(inNode.losses.at(-1)).toBeLessThan(0.1 * inNode.losses[0]);
  });

  it.each([
    ['Bun', bun],
    ['Deno', deno, 'run', '--allow-all'],
  ])('in %s, on Dawn, has the losses of Node', (_, command, ...flags) => {
    expect(trained(command, ...flags)).toEqual(inNode);
  });

  it('in Deno, on its own WebGPU, has the losses of Node within rounding', () => {
    const flags = ['--unstable-webgpu', '--conditions=browser', '--allow-read', '--allow-env'];
    const { losses } = trained(deno, 'run', ...flags);
    expect(differenceOf(losses, inNode.losses)).toBeNull();
  });
});

describe('the command line', () => {
  const train = (out: string, command: string, ...flags: string[]): unknown => {
    const main = join(ROOT, 'dist', 'cli', 'main.js');
    const settings = ['--limit', '60', '--batch-size', '20', '--epochs', '2', '--out', out];
    const args = ['train', 'mnist', '--data', 'builtin:digits', ...settings, '--json'];
    const { epochs, test } = outputOf(command, ...flags, main, ...args) as {
      epochs: Record<string, unknown>[];
      test: unknown;
    };
    return { test, epochs: epochs.map(({ loss, valLoss }) => ({ loss, valLoss })) };
  };

  it('trains in Bun and Deno to the numbers of Node', () => {
    const inNode = train('node', process.execPath);
    expect(train('bun', bun)).toEqual(inNode);
    expect(train('deno', deno, 'run', '--allow-all')).toEqual(inNode);
  }, 300_000);
});

it('naga takes every shader but those that need what it lacks', () => {
  const shaders = join(ROOT, 'shaders');
  const flags = ['--unstable-webgpu', '--allow-read'];
  const { compiled, refused } = outputOf(
    deno,
    'run',
    ...flags,
    join(HERE, 'naga.mjs'),
    shaders,
  ) as {
    compiled: number;
    refused: Record<string, string>;
  };
  const lacks = JSON.parse(readFileSync(join(HERE, 'naga_lacks.json'), 'utf8'));
  expect(compiled).toBeGreaterThan(100);
  for (const [file, message] of Object.entries(refused)) {
    const extension = /the `(\w+)` enable-extension is not yet supported/.exec(message)?.[1] ?? '';
    expect(Object.keys(lacks), `${file}: ${message}`).toContain(extension);
  }
  // An entry that nothing needs, since naga has it by now, is taken out.
  const missing = Object.values(refused).join('\n');
  for (const extension of Object.keys(lacks)) expect(missing).toContain(`\`${extension}\``);
}, 120_000);
