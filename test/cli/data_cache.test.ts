import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { dataCommand } from '../../src/cli/data.js';

const printed = vi.hoisted((): string[] => []);
vi.mock(import('../../src/cli/output.js'), async (original) => ({
  ...(await original()),
  print: (lines) => void printed.push(...lines),
  printJson: (document) => void printed.push(JSON.stringify(document)),
}));

/** What a data command prints. */
async function outputOf(...words: string[]): Promise<string> {
  printed.length = 0;
  const program = new Command();
  dataCommand(program);
  await program.parseAsync(['data', ...words], { from: 'user' });
  return printed.map((line) => `${line}\n`).join('');
}

describe('data', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tilegrad-packs-'));

  afterEach(() => {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true, force: true });
  });

  it('cache counts the decoded images that are kept, and removes them', async () => {
    vi.stubEnv('TILEGRAD_CACHE', folder);
    const packs = join(folder, 'packs');
    mkdirSync(packs, { recursive: true });
    writeFileSync(join(packs, `${'a'.repeat(64)}.pack`), Buffer.alloc(3_000_000));
    writeFileSync(join(packs, 'other'), '');
    expect(await outputOf('cache')).toBe(`${packs}: 1 packs of decoded images, 3 MB\n`);
    expect(JSON.parse(await outputOf('cache', '--json'))).toEqual({
      ...{ folder: packs, packs: 1, sizeBytes: 3_000_000, cleared: false },
    });
    expect(await outputOf('cache', '--clear')).toBe(
      `${packs}: removed 1 packs of decoded images, 3 MB\n`,
    );
    expect(readdirSync(packs)).toEqual(['other']);
    vi.stubEnv('TILEGRAD_CACHE', '');
    expect(await outputOf('cache')).toBe('nothing is kept: TILEGRAD_CACHE is empty\n');
  });

  it('list names the layouts that are read', async () => {
    const text = await outputOf('list');
    for (const name of [
      'builtin:signs',
      'class folders',
      'gtsrb',
      'npy',
      'cifar',
      'named images',
    ]) {
      expect(text).toContain(`\n${name} `);
    }
    expect(JSON.parse(await outputOf('list', '--json'))).toHaveLength(3);
  });

  it('check counts tracks', async () => {
    const images = join(folder, 'images');
    for (const name of ['a/1_1', 'a/1_2', 'b/1_1']) {
      mkdirSync(join(images, name, '..'), { recursive: true });
      writeFileSync(join(images, `${name}.ppm`), 'P6\n1 1\n255\nabc');
    }
    expect(await outputOf('check', images)).toBe(
      'train       3 images of 1×1, 2 classes of 1 to 2, 2 tracks\nno problems found\n',
    );
  });
});
