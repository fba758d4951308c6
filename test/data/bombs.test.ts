/** Small files that claim to be large ones: each is answered with little time and memory. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, deflateRawSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { formatNpy } from '../../src/io/npy.js';
import { crc32, writeZip } from '../../src/io/zip.js';
import { measured, type Measured } from '../helpers/measured.js';
import { idxBytes, temporaryFolder } from './helpers.js';

/** Starting Node and loading the readers takes a third of a second and 80 MiB of it. */
function expectCheap({ cpuSeconds, peakMiB, kind }: Measured): void {
  expect(kind === null || kind === 'DataError').toBe(true);
  expect(cpuSeconds).toBeLessThan(1);
  expect(peakMiB).toBeLessThan(200);
}

const open = (place: string, options = {}): Promise<Measured> =>
  measured('data/index.js', 'openDataset', place, options);

/** A gzip archive that begins with `head` and goes on with 3 GiB of the same byte. */
function endless(head: Uint8Array, byte = 0): Buffer {
  // An archive may consist of several, one behind the other.
  const mebibyte = gzipSync(Buffer.alloc(2 ** 20, byte));
  return Buffer.concat([gzipSync(head), ...new Array<Buffer>(3 * 2 ** 10).fill(mebibyte)]);
}

it('an idx archive is unpacked no further than its header says', async () => {
  const folder = temporaryFolder();
  const images = join(folder, 'train-images-idx3-ubyte.gz');
  writeFileSync(images, endless(idxBytes([1, 28, 28], [])));
  writeFileSync(join(folder, 'train-labels-idx1-ubyte.gz'), endless(idxBytes([1], [])));
  const result = await open(folder);
  expectCheap(result);
  expect(result.message).toMatch(
    /-ubyte\.gz: too long: expected (784|1) bytes of values \((1 × 28 × 28|1)\), got more/,
  );
});

it.each([
  ['train.csv.gz', '1,2,3,4,5\n', 10],
  ['train.csv.gz', '', 0],
])('a CSV archive %s that begins with "%s" has a limit', async (name, head, byte) => {
  const file = join(temporaryFolder(), name);
  writeFileSync(file, endless(Buffer.from(head), byte));
  const result = await open(file);
  expectCheap(result);
  expect(result.message).toMatch(
    /train\.csv\.gz: expected an archive that shrank .* 25th at most, got one .*\nfix: unpack the file first: gunzip/,
  );
});

it('so has one of CIFAR', async () => {
  const folder = temporaryFolder();
  for (const part of [1, 2, 3, 4, 5]) {
    writeFileSync(join(folder, `data_batch_${part}.bin`), endless(Buffer.alloc(3073)));
  }
  const result = await open(folder);
  expectCheap(result);
  expect(result.message).toMatch(/data_batch_1\.bin: expected an archive that shrank/);
});

/** An archive of one deflated member of 64 MiB, listed under several names. */
function overlapping(names: readonly string[]): Buffer {
  const plain = Buffer.alloc(2 ** 26);
  const packed = deflateRawSync(plain);
  const archive = Buffer.from(writeZip(new Map([[names[0], packed]])));
  const entryBytes = 46 + names[0].length;
  const directory = archive.length - 22 - entryBytes;
  const entry = archive.subarray(directory, directory + entryBytes);
  entry.writeUInt16LE(8, 10);
  entry.writeUInt32LE(crc32(plain), 16);
  entry.writeUInt32LE(plain.length, 24);
  const end = archive.subarray(archive.length - 22);
  end.writeUInt16LE(names.length, 8);
  end.writeUInt16LE(names.length, 10);
  const entries = names.map((name) => {
    const copy = Buffer.from(entry);
    copy.write(name, 46);
    return copy;
  });
  return Buffer.concat([archive.subarray(0, directory), ...entries, end]);
}

it('members of an archive that share their bytes are refused', async () => {
  const file = join(temporaryFolder(), 'overlap.npz');
  const names = Array.from({ length: 60 }, (_, index) => `m${String(index).padStart(2, '0')}.npy`);
  writeFileSync(file, overlapping(names));
  const result = await open(file);
  expectCheap(result);
  expect(result.message).toContain(
    'overlap.npz: damaged zip archive: its members m00.npy and m01.npy share bytes',
  );
});

it('only the members that are wanted are unpacked', async () => {
  const file = join(temporaryFolder(), 'more.npz');
  const [x, y] = [
    formatNpy({ shape: [2, 1, 1], values: Uint8Array.of(1, 2) }),
    formatNpy({ shape: [2], values: Uint8Array.of(0, 1) }),
  ];
  // No array at all.
  const rest = new Uint8Array(100);
  writeFileSync(
    file,
    writeZip(
      new Map([
        ['x.npy', x],
        ['y.npy', y],
        ['z.npy', rest],
      ]),
    ),
  );
  const result = await open(file);
  expectCheap(result);
  expect(result.message).toBe(null);
});

it.each([
  ['10^6 pixels', 1_000_000, 2_000_000],
  ['10^6 pixels, fewer lines', 1_000_000, 6_000],
])('blank lines of a CSV ask for no memory: %s', async (_, pixels, blank) => {
  const file = join(temporaryFolder(), 'train.csv');
  writeFileSync(file, `1${',0'.repeat(pixels)}${'\n'.repeat(blank)}`);
  const result = await open(file);
  expectCheap(result);
  expect(result.message).toBe(null);
});

it.each([
  [[999_999_999_999, 0], 'expected labels [N], [N, 1] or one-hot [N, K], got [999999999999, 0]'],
  [[0], 'got [0]'],
])('labels of shape [%s] without bytes are refused', async (shape, message) => {
  const folder = temporaryFolder();
  writeFileSync(
    join(folder, 'X.npy'),
    formatNpy({ shape: [2, 1, 1], values: Uint8Array.of(1, 2) }),
  );
  writeFileSync(join(folder, 'Y.npy'), formatNpy({ shape, values: new Uint8Array(0) }));
  const result = await open(folder);
  expectCheap(result);
  expect(result.message).toContain(message);
});

it('images of no columns, and extents beyond counting, are refused', async () => {
  const folder = temporaryFolder();
  const labels = formatNpy({ shape: [2], values: Uint8Array.of(0, 1) });
  writeFileSync(join(folder, 'Y.npy'), labels);
  const images = formatNpy({ shape: [2, 28, 0], values: new Uint8Array(0) });
  writeFileSync(join(folder, 'X.npy'), images);
  expect((await open(folder)).message).toContain('got [2, 28, 0]');
  const huge = Buffer.from(images);
  const at = huge.indexOf('(2, 28, 0)');
  huge.write(`(${'9'.repeat(30)}, 0), `, at);
  writeFileSync(join(folder, 'X.npy'), huge);
  expect((await open(folder)).message).toContain('expected extents whose product is below 2^53');
});
