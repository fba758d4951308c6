import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { imageBytes, type ImageDataset } from '../../src/data/dataset.js';
import { openDataset } from '../../src/data/open/open.js';
import { openImages } from '../../src/data/open/open_images.js';
import { PackFile, PackWriter } from '../../src/data/decode/pack.js';
import { clearPacks, listPacks, prunePacks } from '../../src/data/decode/pack_store.js';
import { PackedDataset } from '../../src/data/decode/packed_dataset.js';
import type { OpenOptions } from '../../src/data/open/sources.js';
import { DataError } from '../../src/errors.js';
import { errorOf, temporaryFolder } from './helpers.js';

const DAY_MS = 24 * 60 * 60 * 1000;

afterEach(() => vi.unstubAllEnvs());

/** Two classes of images of one grey each: 10, 20, … in `cat`, 110, 120, … in `dog`. */
async function writeGreys(folder: string, count = 3): Promise<void> {
  for (const [name, base] of [
    ['cat', 0],
    ['dog', 100],
  ] as const) {
    mkdirSync(join(folder, name), { recursive: true });
    for (let index = 1; index <= count; index++) {
      const grey = base + 10 * index;
      const background = { r: grey, g: grey, b: grey };
      const create = { width: 4, height: 4, channels: 3, background } as const;
      await sharp({ create }).toFile(join(folder, name, `${index}.png`));
    }
  }
}

/** A folder of images and an empty cache beside it. */
async function prepare(count?: number): Promise<{ folder: string; packs: string }> {
  const place = temporaryFolder();
  vi.stubEnv('TILEGRAD_CACHE', join(place, 'cache'));
  const folder = join(place, 'images');
  await writeGreys(folder, count);
  return { folder, packs: join(place, 'cache', 'packs') };
}

/** The first byte of each image. */
async function greys(dataset: ImageDataset): Promise<number[]> {
  const pixels = await dataset.read(Array.from({ length: dataset.size }, (_, index) => index));
  return Array.from(dataset.labels, (_, index) => pixels[index * imageBytes(dataset)]);
}

/** Opens, and says how many images were decoded. */
async function openCounting(folder: string, options: OpenOptions = {}) {
  const calls: [number, number][] = [];
  const onProgress = (done: number, total: number): void => void calls.push([done, total]);
  const opened = await openDataset(folder, { ...options, onProgress });
  return { ...opened, decoded: calls.at(-1)?.[0] ?? 0, calls };
}

describe('a pack of decoded images', () => {
  it('is made at the first opening and spares the second one the decoding', async () => {
    const { folder, packs } = await prepare();
    const first = await openCounting(folder, { imageSize: [2, 3] });
    expect(first.calls).toEqual([[6, 6]]);
    expect(await greys(first.train)).toEqual([10, 20, 30, 110, 120, 130]);
    expect(readdirSync(packs)).toHaveLength(1);
    const second = await openCounting(folder, { imageSize: [2, 3] });
    expect([second.decoded, second.notes, second.skipped]).toEqual([0, [], []]);
    expect(second.train).toBeInstanceOf(PackedDataset);
    expect(second.train.imageShape).toEqual([2, 3, 3]);
    expect([...second.train.labels]).toEqual([0, 0, 0, 1, 1, 1]);
    expect(await greys(second.train)).toEqual([10, 20, 30, 110, 120, 130]);
    expect(second.train.describe!(4)).toBe(join(folder, 'dog', '2.png'));
    // Read from the file one by one it is the same, and so it is after a close.
    const third = await openCounting(folder, { imageSize: [2, 3], cacheBytes: 0 });
    expect(third.decoded).toBe(0);
    for (const { train } of [second, third]) {
      await train.close();
      expect([...(await train.read([5, 0, 5]))].filter((_, at) => at % 18 === 0)).toEqual([
        130, 10, 130,
      ]);
      await train.close();
    }
  });

  it('is another one for another size, other channels and other files', async () => {
    const { folder, packs } = await prepare();
    await openCounting(folder);
    expect((await openCounting(folder, { imageSize: [8, 8] })).decoded).toBe(6);
    expect((await openCounting(folder, { channels: 1 })).decoded).toBe(6);
    expect(readdirSync(packs)).toHaveLength(3);
    // The same name, size and time, but another image.
    const file = join(folder, 'cat', '1.png');
    const { atime, mtime, size } = statSync(file);
    const other = join(dirname(folder), 'other.png');
    const create = { width: 4, height: 4, channels: 3, background: '#0b0b0b' } as const;
    await sharp({ create }).toFile(other);
    expect(statSync(other).size).toBe(size);
    writeFileSync(file, readFileSync(other));
    utimesSync(file, atime, mtime);
    const changed = await openCounting(folder);
    expect(changed.decoded).toBe(6);
    expect(await greys(changed.train)).toEqual([11, 20, 30, 110, 120, 130]);
    // A folder that is moved keeps its pack.
    renameSync(folder, `${folder}-moved`);
    expect((await openCounting(`${folder}-moved`)).decoded).toBe(0);
  });

  it.each<[string, (path: string) => void]>([
    ['truncated', (path) => truncateSync(path, statSync(path).size - 1)],
    ['empty', (path) => writeFileSync(path, '')],
    ['foreign', (path) => writeFileSync(path, 'x'.repeat(1000))],
    ['damaged in its head', (path) => flip(path, 25)],
    ['damaged in its trailer', (path) => flip(path, statSync(path).size - 3)],
  ])('is made anew when it is %s', async (_, spoil) => {
    const { folder, packs } = await prepare();
    await openCounting(folder);
    spoil(join(packs, readdirSync(packs)[0]));
    const again = await openCounting(folder);
    expect(again.decoded).toBe(6);
    expect(await greys(again.train)).toEqual([10, 20, 30, 110, 120, 130]);
    expect((await openCounting(folder)).decoded).toBe(0);
    expect(readdirSync(packs)).toHaveLength(1);
  });

  it('leaves broken images out, now and when it is read again', async () => {
    const { folder } = await prepare();
    writeFileSync(join(folder, 'cat', '2.png'), '');
    writeFileSync(join(folder, 'dog', '3.png'), 'no image');
    for (const decoded of [6, 0]) {
      const opened = await openCounting(folder, { imageSize: [4, 4] });
      expect(opened.decoded).toBe(decoded);
      expect([opened.train.size, [...opened.train.labels]]).toEqual([4, [0, 0, 1, 1]]);
      expect(await greys(opened.train)).toEqual([10, 30, 110, 120]);
      expect(opened.train.describe!(1)).toBe(join(folder, 'cat', '3.png'));
      expect(opened.skipped.map(({ file }) => file)).toEqual([
        join(folder, 'cat', '2.png'),
        join(folder, 'dog', '3.png'),
      ]);
      expect(opened.skipped[0].reason).toBe('the file is empty');
      expect(opened.notes).toEqual([
        `${folder}: skipped 2 of 6 images that cannot be decoded (${join(folder, 'cat', '2.png')}:` +
          ' the file is empty, and 1 more)',
      ]);
    }
  });

  it('refuses a class that has no whole image, and data that have none', async () => {
    const { folder } = await prepare();
    for (const name of ['1', '2', '3']) writeFileSync(join(folder, 'dog', `${name}.png`), '');
    const error = await errorOf(openDataset(folder, { imageSize: [4, 4] }));
    expect(error).toBeInstanceOf(DataError);
    expect(error.message).toBe(
      `${folder}: no image of class 'dog' can be decoded (${join(folder, 'dog', '1.png')}: the file` +
        ' is empty)\nfix: replace its images, or move its folder away',
    );
    for (const name of ['1', '2', '3']) writeFileSync(join(folder, 'cat', `${name}.png`), '');
    expect((await errorOf(openDataset(folder, { imageSize: [4, 4] }))).message).toContain(
      `${folder}: none of 6 images can be decoded (${join(folder, 'cat', '1.png')}: the file is empty)`,
    );
  });

  it('says why it cannot be written, and goes on from memory or from the files', async () => {
    const { folder } = await prepare();
    vi.stubEnv('TILEGRAD_CACHE', join(folder, 'cat', '1.png'));
    for (const cacheBytes of [undefined, 48]) {
      const opened = await openCounting(folder, { cacheBytes });
      expect(await greys(opened.train)).toEqual([10, 20, 30, 110, 120, 130]);
      expect(opened.notes[0]).toContain(
        `${folder}: the decoded images are not kept for the next run: `,
      );
      expect(opened.notes[0]).toMatch(/ENOTDIR|EEXIST/);
      expect(opened.notes[1]).toBe(
        cacheBytes === undefined
          ? undefined
          : `${folder}: too large for memory: images are decoded anew in each epoch`,
      );
      await opened.train.close();
      expect(await greys(opened.train)).toEqual([10, 20, 30, 110, 120, 130]);
    }
  });

  it('is given up when the disk fills up half way', async () => {
    const { folder, packs } = await prepare();
    const full = Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
    const append = vi.spyOn(PackWriter.prototype, 'append').mockRejectedValue(full);
    const opened = await openCounting(folder);
    append.mockRestore();
    expect(await greys(opened.train)).toEqual([10, 20, 30, 110, 120, 130]);
    expect(opened.notes).toHaveLength(1);
    expect(opened.notes[0]).toMatch(/are not kept for the next run: .*ENOSPC: no space left/);
    expect(readdirSync(packs)).toEqual([]);
    expect((await openCounting(folder)).decoded).toBe(6);
    expect(readdirSync(packs)).toHaveLength(1);
    await clearPacks(packs);
    expect(readdirSync(packs)).toEqual([]);
  });

  it('is not made where nothing is to be kept', async () => {
    const { folder, packs } = await prepare();
    vi.stubEnv('TILEGRAD_CACHE', '');
    const opened = await openCounting(folder);
    expect([opened.decoded, opened.notes]).toEqual([6, []]);
    expect(existsSync(packs)).toBe(false);
  });

  it('does not make unreadable files last', async () => {
    const { folder, packs } = await prepare();
    const file = join(folder, 'cat', '1.png');
    // A link to itself, which is not readable to the superuser either.
    rmSync(file);
    symlinkSync(file, file);
    const list = {
      ...{ name: 'list', classNames: ['a', 'b'], labels: Int32Array.of(0, 1) },
      files: [file, join(folder, 'dog', '1.png')],
    };
    const opened = await openImages(folder, list, { imageSize: [4, 4] });
    expect(opened.skipped[0].reason).toMatch(/^cannot be read: ELOOP/);
    expect(opened.notes).toEqual([
      'list: the decoded images are not kept for the next run: some files could not be read',
    ]);
    expect(readdirSync(packs)).toEqual([]);
    // Where there is nothing at all, the pack is one of a folder without that file.
    rmSync(file);
    expect((await openImages(folder, list, { imageSize: [4, 4] })).notes).toEqual([]);
    expect(readdirSync(packs)).toHaveLength(1);
  });
});

function flip(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at] ^= 4;
  writeFileSync(path, bytes);
}

describe('PackWriter', () => {
  it('needs room on the disk', async () => {
    const folder = temporaryFolder();
    const error = await errorOf(PackWriter.begin(join(folder, 'a.pack'), 1e18));
    expect(error.message).toMatch(/^\d+ MB free, 1000000000268 MB needed$/);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('leaves nothing behind when it is given up', async () => {
    const folder = temporaryFolder();
    const writer = await PackWriter.begin(join(folder, 'a.pack'), 10);
    await writer.append(new Uint8Array(10));
    expect(readdirSync(folder)).toHaveLength(1);
    await writer.abort();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('counts for the key it was written with alone', async () => {
    const path = join(temporaryFolder(), 'a.pack');
    const writer = await PackWriter.begin(path, 12);
    await writer.append(Uint8Array.from({ length: 12 }, (_, index) => index));
    await writer.finish({ key: 'one', imageShape: [1, 2, 3], leftOut: [] });
    expect(await PackFile.open(path, 'two')).toBeUndefined();
    const pack = await PackFile.open(path, 'one');
    const image = new Uint8Array(6);
    await pack!.read(1, 1, image);
    expect([pack!.count, ...image]).toEqual([2, 6, 7, 8, 9, 10, 11]);
    await pack!.close();
  });
});

describe('prunePacks', () => {
  it('removes what is old, left over or too much, and nothing else', async () => {
    const folder = temporaryFolder();
    const now = Date.now();
    const name = (digit: string): string => `${digit.repeat(64)}.pack`;
    const files: [string, number][] = [
      [name('a'), 0],
      [name('b'), 1],
      [name('c'), 2],
      [name('d'), 31],
      [`.${name('e')}.1.00.tmp`, 2],
      [`.${name('f')}.1.00.tmp`, 0.5],
      ['notes.txt', 99],
    ];
    for (const [file, days] of files) {
      const path = join(folder, file);
      writeFileSync(path, 'x'.repeat(100));
      utimesSync(path, new Date(now), new Date(now - days * DAY_MS));
    }
    await prunePacks(folder, join(folder, name('a')), { now });
    expect(readdirSync(folder).sort()).toEqual(
      [`.${name('f')}.1.00.tmp`, name('a'), name('b'), name('c'), 'notes.txt'].sort(),
    );
    await prunePacks(folder, join(folder, name('a')), { now, mostBytes: 320 });
    expect((await listPacks(folder)).map(({ path }) => path)).toEqual(
      [name('a'), `.${name('f')}.1.00.tmp`, name('b')].map((file) => join(folder, file)),
    );
    await prunePacks(join(folder, 'none'), '');
  });
});
