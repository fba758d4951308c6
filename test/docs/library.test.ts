import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { buildIsStale } from '../../scripts/setup.mjs';

if (buildIsStale()) {
  throw new Error('dist/ is not the build of these sources; run node scripts/setup.mjs first');
}

const root = fileURLToPath(new URL('../../', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'tilegrad-library-'));
afterAll(() => rmSync(folder, { recursive: true }));
mkdirSync(join(folder, 'node_modules'));
symlinkSync(root, join(folder, 'node_modules', 'tilegrad'), 'junction');

/** Runs the blocks of a text as one program, which imports the package by its name; returns its lines. */
function run(name: string, text: string): string[] {
  const blocks = [...text.matchAll(/^```ts\n([^]*?)^```$/gm)].map(([, code]) => code);
  expect(blocks.length).toBeGreaterThan(0);
  const path = join(folder, `${name}.mjs`);
  writeFileSync(path, blocks.join('\n'));
  const options = { encoding: 'utf8', stdio: 'pipe', cwd: folder } as const;
  return execFileSync(process.execPath, [path], options).trimEnd().split('\n');
}

describe('the pages about the library', () => {
  it('docs/library.md runs as it stands', () => {
    const text = readFileSync(join(root, 'docs/library.md'), 'utf8');
    const [fitted, steps, judged] = run('library', text);
    expect(fitted).toMatch(/^done 0\.[5-9]\d*|^done 1$/);
    expect(steps).toBe('16');
    expect(judged).toMatch(/^(0\.[5-9]\d*|1) \d+ \{ class: '\d', probability: [\d.]+ \}$/);
  }, 120_000);

  it('README.md trains in its first program', () => {
    const [, section] = readFileSync(join(root, 'README.md'), 'utf8').split('## As a library\n');
    const [line] = run('readme', section.split('\n## ')[0]);
    expect(Number(line)).toBeGreaterThan(0.9);
  }, 120_000);
});
