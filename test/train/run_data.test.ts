import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { UsageError } from '../../src/errors.js';
import { openRunData, type RunData } from '../../src/train/run_data.js';
import { errorOf, idxBytes, temporaryFolder } from '../data/helpers.js';
import { config } from './helpers.js';

const open = (data: string, settings: Partial<typeof config> = {}): Promise<RunData> =>
  openRunData(
    { ...config, batchSize: 2, validationShare: 0.2, ...{ data }, ...settings },
    () => {},
  );

/** Where every example of a part comes from. */
const sources = (part: RunData['train']): string[] =>
  Array.from({ length: part.size }, (_, index) => part.describe!(index));

function writeMnist(folder: string): void {
  for (const [prefix, count] of [
    ['train', 40],
    ['t10k', 10],
  ] as const) {
    const numbers = Array.from({ length: count }, (_, index) => index % 10);
    writeFileSync(join(folder, `${prefix}-images-idx3-ubyte`), idxBytes([count, 1, 1], numbers));
    writeFileSync(join(folder, `${prefix}-labels-idx1-ubyte`), idxBytes([count], numbers));
  }
}

describe('what a run is validated on', () => {
  it('is held out of the training part, so that the test part steers nothing', async () => {
    const folder = temporaryFolder();
    writeMnist(folder);
    const { train, validation, test, part } = await open(folder);
    expect([train.size, validation.size, test!.size, part]).toEqual([32, 8, 10, 'validation']);
    expect(new Set([...sources(train), ...sources(validation)]).size).toBe(40);
    for (const source of sources(test!)) expect(source).toMatch(/^t10k/);
    for (const source of sources(validation)) expect(source).toMatch(/^train/);
  });

  it('is the test part where the settings ask for it, and then the run says so', async () => {
    const folder = temporaryFolder();
    writeMnist(folder);
    const run = await open(folder, { validateOn: 'test' });
    expect([run.train.size, run.validation.size, run.test, run.part]).toEqual([
      ...[40, 10, null, 'test'],
    ]);
    expect(run.notes).toEqual([expect.stringContaining('the best checkpoint is selected on it')]);
    const only = await open('builtin:digits', { validateOn: 'test', limit: 20 });
    expect([only.train.size, only.validation.size]).toEqual([20, 20]);
  });

  it('limits every part alike', async () => {
    const folder = temporaryFolder();
    writeMnist(folder);
    const { train, validation, test } = await open(folder, { limit: 4 });
    expect([train.size, validation.size, test!.size]).toEqual([4, 4, 4]);
  });

  it('is taken in whole tracks from signs with a test set', async () => {
    const folder = temporaryFolder();
    const image = await sharp({
      create: { width: 2, height: 2, channels: 3, background: '#a52' },
    })
      .png()
      .toBuffer();
    const write = (...path: string[]): void => {
      mkdirSync(join(folder, ...path.slice(0, -1)), { recursive: true });
      writeFileSync(join(folder, ...path), image);
    };
    for (const label of ['0', '1']) {
      for (const track of [0, 1, 2, 3, 4]) {
        for (const frame of [0, 1, 2]) write('train', label, `0000${track}_0000${frame}.png`);
      }
      write('test', label, '00000_00000.png');
    }
    const { train, validation, test, part } = await open(folder);
    expect([part, train.size, validation.size, test!.size]).toEqual(['validation', 24, 6, 2]);
    const tracks = ({ labels, groups }: RunData['train']): Set<string> =>
      new Set(Array.from(groups!, (group, index) => `${labels[index]}/${group}`));
    for (const track of tracks(validation)) expect(tracks(train).has(track)).toBe(false);
    expect([...validation.labels].sort()).toEqual([0, 0, 0, 1, 1, 1]);
  });

  it('refuses settings that leave nothing to validate on', async () => {
    const folder = temporaryFolder();
    writeMnist(folder);
    const none = await errorOf(open(folder, { validationShare: 0 }));
    expect(none).toBeInstanceOf(UsageError);
    expect(none.message).toContain('hold out a share, such as 0.1, or pass --validate-on test');
    const table = join(temporaryFolder(), 'train.csv');
    writeFileSync(table, '1,0\n'.repeat(8));
    const untested = await errorOf(open(table, { validateOn: 'test' }));
    expect(untested.message).toContain('--validate-on test, but train.csv has no test set');
  });
});
