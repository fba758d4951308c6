import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { checkDataset } from '../../src/data/check.js';
import { UsageError } from '../../src/errors.js';
import { errorOf, idxBytes, temporaryFolder } from './helpers.js';

async function writeImage(file: string, height: number, width: number): Promise<void> {
  mkdirSync(join(file, '..'), { recursive: true });
  await sharp({ create: { height, width, channels: 3, background: '#a52' } }).toFile(file);
}

describe('checkDataset', () => {
  it('counts classes and looks at every image of a folder', async () => {
    const folder = temporaryFolder();
    await writeImage(join(folder, 'train/cat/a.png'), 8, 9);
    await writeImage(join(folder, 'train/dog/a.png'), 4, 5);
    await writeImage(join(folder, 'train/dog/b.png'), 20, 30);
    const report = await checkDataset(folder);
    expect(report).toEqual({
      spec: folder,
      isFine: true,
      parts: [
        {
          part: 'train',
          name: join(folder, 'train'),
          count: 3,
          smallest: [4, 5],
          largest: [20, 30],
          classes: [
            { name: 'cat', count: 1 },
            { name: 'dog', count: 2 },
          ],
        },
      ],
      problems: [],
      notes: [
        `${join(folder, 'train')}: images from 4×5 to 20×30 (height × width): training needs an` +
          ' image size to scale them to',
      ],
    });
  });

  it('lists every broken image, and parts that are wrong beside one that is right', async () => {
    const folder = temporaryFolder();
    for (const name of ['cat/a', 'cat/b', 'dog/a', 'dog/b']) {
      await writeImage(join(folder, `train/${name}.png`), 4, 4);
    }
    const broken = ['cat/a', 'dog/b'].map((name) => join(folder, `train/${name}.png`));
    for (const file of broken) writeFileSync(file, readFileSync(file).subarray(0, 50));
    mkdirSync(join(folder, 'test/cat'), { recursive: true });
    const report = await checkDataset(folder);
    expect(report.isFine).toBe(false);
    expect(report.problems).toHaveLength(3);
    expect(report.problems[0]).toContain(
      `${broken[0]}: broken image: Input buffer has corrupt header`,
    );
    expect(report.problems[1]).toContain(
      `${broken[1]}: broken image: Input buffer has corrupt header`,
    );
    expect(report.problems[2]).toContain('test: no images in its class folders (cat)');
    expect(report.parts.map(({ part, count }) => [part, count])).toEqual([['train', 4]]);
  });

  it('tells files named like those of MNIST from the published ones', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'train-images-idx3-ubyte'), idxBytes([2, 1, 1], [1, 2]));
    writeFileSync(join(folder, 'train-labels-idx1-ubyte'), idxBytes([2], [0, 1]));
    const report = await checkDataset(folder, { classCount: 3 });
    expect(report.problems).toEqual(['mnist train: a class without images (2)']);
    expect(report.notes).toEqual([
      `${folder}: 2 of 2 files named like MNIST's hold something else (a relative of MNIST, or` +
        ' damage)',
    ]);
  });

  it('reports a missing folder, and throws for a wrong name', async () => {
    const none = join(temporaryFolder(), 'none');
    const report = await checkDataset(none);
    expect(report.problems[0]).toContain(`${none}: no such file or folder`);
    expect(await errorOf(checkDataset('builtin:letters'))).toBeInstanceOf(UsageError);
  });
});
