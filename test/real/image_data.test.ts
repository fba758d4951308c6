import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { batches } from '../../src/data/batches.js';
import { openDataset } from '../../src/data/open/open.js';
import { split } from '../../src/data/split.js';

/** The real images, beside the repository or where TILEGRAD_DATA says. */
const DATA =
  process.env.TILEGRAD_DATA ?? fileURLToPath(new URL('../../../shared/data', import.meta.url));
const ARCHIVES = ['gtsrb', 'cifar100', 'simpsons'] as const;
const isThere = ARCHIVES.every((name) => existsSync(join(DATA, `${name}-train.tar.gz`)));
if (!isThere) {
  process.stdout.write(
    `skipped: no ${ARCHIVES.join(', ')} archives in ${DATA}; set TILEGRAD_DATA to a folder with them\n`,
  );
}

describe.skipIf(!isThere)('real images', () => {
  let place = '';

  beforeAll(() => {
    place = mkdtempSync(join(tmpdir(), 'tilegrad-real-'));
    vi.stubEnv('TILEGRAD_CACHE', join(place, 'cache'));
    for (const name of ARCHIVES) {
      // Of CIFAR-100 ten classes are enough, one of which is called `train`.
      const members = name === 'cifar100' ? ['--wildcards', 'cifar100/train/t*'] : [];
      execFileSync('tar', ['xzf', join(DATA, `${name}-train.tar.gz`), '-C', place, ...members]);
    }
  }, 240_000);

  afterAll(() => {
    vi.unstubAllEnvs();
    rmSync(place, { recursive: true, force: true });
  }, 240_000);

  it('GTSRB opens with its tracks, from the pack the second time', async () => {
    const progress = vi.fn();
    const open = () =>
      openDataset(join(place, 'gtsrb'), { imageSize: [32, 32], onProgress: progress });
    const { train, notes, skipped } = await open();
    expect([train.size, train.classNames.length, notes, skipped]).toEqual([19_605, 43, [], []]);
    expect(train.classNames[14]).toBe('stop');
    expect(new Set(train.groups).size).toBe(1307);
    expect(progress).toHaveBeenLastCalledWith(19_605, 19_605);
    const fromFiles = await train.read([0, 9999, 19_604]);
    progress.mockClear();
    const again = await open();
    expect(progress).not.toHaveBeenCalled();
    expect(await again.train.read([0, 9999, 19_604])).toEqual(fromFiles);
    await Promise.all([train.close(), again.train.close()]);
  }, 120_000);

  it('GTSRB splits 95/5 by whole tracks, each class as nearly as they allow', async () => {
    const { train: data } = await openDataset(join(place, 'gtsrb'), { imageSize: [32, 32] });
    const { train, validation } = split(data, {
      ...{ fraction: 0.05, seed: 1, stratified: true, byGroup: true },
    });
    expect(train.size + validation.size).toBe(data.size);
    const inTrain = new Set(train.groups);
    expect(validation.groups!.some((track) => inTrain.has(track))).toBe(false);
    for (let label = 0; label < 43; label++) {
      const [all, held] = [data, validation].map(
        ({ labels }) => labels.filter((other) => other === label).length,
      );
      // Tracks have 15 frames here; a class whose share is less than half of one gets one.
      expect(Math.abs(held - Math.max(15, all * 0.05))).toBeLessThanOrEqual(8);
    }
    await data.close();
  }, 120_000);

  it('the Simpsons open scaled, and leave out small classes', async () => {
    const options = { imageSize: [64, 64], minImages: 330 } as const;
    const { train, notes } = await openDataset(join(place, 'simpsons'), options);
    expect(train.imageShape).toEqual([64, 64, 3]);
    const counts = train.classNames.map(
      (_, label) => train.labels.filter((other) => other === label).length,
    );
    expect(Math.min(...counts)).toBe(400);
    expect([counts.length, train.size]).toEqual([14, 5600]);
    expect(notes).toHaveLength(1);
    expect(notes[0]).toContain('left out 2 classes of fewer than 330 images (');
    await train.close();
  }, 120_000);

  it('CIFAR-100 keeps its 32×32 for the GPU to enlarge, and reads fast', async () => {
    const { train } = await openDataset(join(place, 'cifar100'), {
      ...{ imageSize: [224, 224], enlarge: 'later' },
    });
    expect([train.size, train.imageShape]).toEqual([2000, [32, 32, 3]]);
    expect(train.classNames).toContain('train');
    let count = 0;
    const start = performance.now();
    for await (const { size } of batches(train, {
      batchSize: 32,
      shuffle: { seed: 1, epoch: 0 },
    })) {
      count += size;
    }
    const imagesPerSecond = (count / (performance.now() - start)) * 1000;
    process.stdout.write(`read ${imagesPerSecond.toFixed(0)} images of 32×32×3 a second\n`);
    expect(count).toBe(2000);
    await train.close();
  }, 120_000);
});
