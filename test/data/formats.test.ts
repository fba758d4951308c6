import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { openDataset } from '../../src/data/open/open.js';
import { temporaryFolder } from './helpers.js';

async function writeImage(file: string, height = 6, width = 8): Promise<void> {
  mkdirSync(join(file, '..'), { recursive: true });
  const create = { width, height, channels: 3, background: '#a52' } as const;
  await sharp({ create }).toFile(file);
}

const names = ['a', 'b'];

describe('any folder of class folders', () => {
  it('takes every kind of picture', async () => {
    const folder = temporaryFolder();
    const kinds = ['jpg', 'png', 'webp', 'gif', 'tiff', 'avif'];
    for (const name of names) {
      for (const kind of kinds) await writeImage(join(folder, name, `x.${kind}`), 16, 16);
    }
    const { train, notes, skipped } = await openDataset(folder);
    expect(train.size).toBe(12);
    expect([notes, skipped]).toEqual([[], []]);
    const pixels = await train.read(Array.from({ length: 12 }, (_, i) => i));
    for (let i = 0; i < pixels.length; i += 3) {
      for (const [c, value] of [0xaa, 0x55, 0x22].entries()) {
        expect(Math.abs(pixels[i + c] - value)).toBeLessThan(8);
      }
    }
  });

  it('is found below the folders that a zip has wrapped round it, and a note says so', async () => {
    const folder = temporaryFolder();
    const inner = join(folder, 'pets', 'pets');
    for (const name of names) await writeImage(join(inner, name, 'x.png'));
    mkdirSync(join(folder, '__MACOSX', 'pets'), { recursive: true });
    const { train, notes } = await openDataset(folder);
    expect(train.classNames).toEqual(names);
    expect(notes).toEqual([`${folder}: holds one folder, ${inner}: looked into that`]);
  });

  it('is found with its parts below such folders', async () => {
    const folder = temporaryFolder();
    for (const part of ['train', 'test']) {
      for (const name of names) await writeImage(join(folder, 'pets', part, name, 'x.png'));
    }
    const { train, test } = await openDataset(folder);
    expect([train.size, test!.size]).toEqual([2, 2]);
  });

  it('is not looked for below a folder with pictures beside it', async () => {
    const folder = temporaryFolder();
    for (const name of names) await writeImage(join(folder, 'pets', name, 'x.png'));
    await writeImage(join(folder, 'y.png'));
    await expect(openDataset(folder)).rejects.toThrow(
      `${folder}: expected at least 2 class folders, got 1 (pets) and 1 images outside of any`,
    );
  });

  it('has its size chosen from the sizes of pictures that can be read', async () => {
    const folder = temporaryFolder();
    await writeImage(join(folder, 'a', 'x.png'), 30, 20);
    await writeImage(join(folder, 'b', 'x.png'), 1, 1);
    writeFileSync(join(folder, 'b', 'broken.png'), 'no picture');
    const seen: unknown[] = [];
    const { train, skipped } = await openDataset(folder, {
      pickSize: (sizes) => {
        seen.push(...sizes);
        return [5, 4];
      },
    });
    expect(seen).toEqual([
      [30, 20],
      [1, 1],
    ]);
    expect(train.imageShape).toEqual([5, 4, 3]);
    expect(skipped.map(({ file }) => file)).toEqual([join(folder, 'b', 'broken.png')]);
  });
});
