import { describe, expect, it } from 'vitest';
import { DataError } from '../../src/errors.js';
import {
  formatNpy,
  formatNpz,
  parseNpy,
  readNpy,
  readNpz,
  type NpyValues,
} from '../../src/io/npy.js';
import { crc32, readZip, tableCrc32, writeZip } from '../../src/io/zip.js';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';

/** A file as NumPy writes it, from its header and its elements. */
function npy(header: string, elements: Uint8Array, version = 1): Uint8Array {
  const text = `${header}\n`;
  const length = Buffer.alloc(version === 1 ? 2 : 4);
  if (version === 1) length.writeUInt16LE(text.length);
  else length.writeUInt32LE(text.length);
  const magic = Buffer.from([0x93, ...Buffer.from('NUMPY'), version, 0]);
  return Buffer.concat([magic, length, Buffer.from(text), elements]);
}

describe('.npy', () => {
  it.each<[string, NpyValues]>([
    ['uint8', Uint8Array.of(1, 2, 255, 0, 5, 6)],
    ['int32', Int32Array.of(-1, 2, 3, 4, 5, 2 ** 31 - 1)],
    ['int64', BigInt64Array.of(-1n, 2n, 3n, 4n, 5n, 2n ** 62n)],
    ['float32', Float32Array.of(0.5, -0, 3, NaN, Infinity, 1e-40)],
    ['float64', Float64Array.of(0.1, 2, 3, 4, 5, 1e300)],
  ])('keeps %s through writing and reading', (dtype, values) => {
    const bytes = formatNpy({ shape: [2, 3], values });
    expect((bytes.length - values.byteLength) % 64).toBe(0);
    expect(parseNpy(bytes, 'a.npy')).toEqual({ dtype, shape: [2, 3], values });
  });

  it('writes the bytes that NumPy writes', () => {
    // np.save of np.array([1, 2, 3], dtype='<i2'): 128 bytes, then the elements.
    const bytes = Buffer.from(formatNpy({ shape: [3], values: Int16Array.of(1, 2, 3) }));
    const header = "{'descr': '<i2', 'fortran_order': False, 'shape': (3,), }";
    expect(bytes.length).toBe(128 + 6);
    expect(bytes.subarray(0, 10).toString('hex')).toBe('934e554d505901007600');
    expect(bytes.subarray(10, 128).toString()).toBe(`${header.padEnd(117)}\n`);
    expect(formatNpy({ shape: [], values: Uint8Array.of(7) }).length).toBe(129);
  });

  it('reads version 2, Fortran order, the other byte order, and booleans', () => {
    const fortran = npy(
      "{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3), }",
      Uint8Array.of(1, 4, 2, 5, 3, 6),
      2,
    );
    expect([...parseNpy(fortran, 'a').values]).toEqual([1, 2, 3, 4, 5, 6]);
    const big = npy(
      "{'descr': '>i2', 'fortran_order': False, 'shape': (2,)}",
      Buffer.from([1, 0, 0, 2]),
    );
    expect([...parseNpy(big, 'a').values]).toEqual([256, 2]);
    const flags = npy(
      "{'descr': '|b1', 'fortran_order': False, 'shape': (2,)}",
      Buffer.from([1, 0]),
    );
    expect(parseNpy(flags, 'a')).toEqual({
      dtype: 'uint8',
      isBoolean: true,
      shape: [2],
      values: Uint8Array.of(1, 0),
    });
  });

  it.each([
    [Buffer.from('no array at all'), 'a.npy: not an .npy file'],
    [
      npy("{'descr': '|O', 'fortran_order': False, 'shape': (2,)}", Buffer.alloc(8)),
      "a.npy: elements of type '|O' are not read, expected uint8, int8,",
    ],
    [
      npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2)}", Buffer.alloc(12)),
      'a.npy: truncated: expected 16 bytes for float32 [2, 2], got 12',
    ],
    [
      npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", Buffer.alloc(12)),
      'a.npy: too long: expected 8 bytes for float32 [2], got 12',
    ],
    [npy('nonsense', Buffer.alloc(12)), "got 'nonsense'\nfix: save plain arrays of numbers"],
    [npy('x', Buffer.alloc(9), 4), 'a.npy: expected .npy version 1 to 3, got 4'],
  ])('refuses %#', (bytes, text) => {
    expect(() => parseNpy(bytes, 'a.npy')).toThrow(DataError);
    expect(() => parseNpy(bytes, 'a.npy')).toThrow(text);
  });

  it('refuses values that do not fill the shape, and a missing file', () => {
    expect(() => formatNpy({ shape: [2, 2], values: Uint8Array.of(1) })).toThrow(
      'npy: expected 4 values for shape [2, 2], got 1',
    );
    expect(() => readNpy('none.npy')).toThrow('none.npy: cannot be read: no such file');
  });
});

describe('.npz', () => {
  it('holds several arrays under their names', () => {
    const folder = mkdtempSync(join(tmpdir(), 'tilegrad-npz-'));
    try {
      const file = join(folder, 'a.npz');
      const x = { shape: [2], values: Float32Array.of(1, 2) };
      const y = { shape: [1, 1], values: BigInt64Array.of(3n) };
      writeFileSync(
        file,
        formatNpz(
          new Map<string, typeof x | typeof y>([
            ['x', x],
            ['y', y],
          ]),
        ),
      );
      const arrays = readNpz(file);
      expect([...arrays.keys()]).toEqual(['x', 'y']);
      expect(arrays.get('x')!()).toEqual({ dtype: 'float32', ...x });
      expect(arrays.get('y')!()).toEqual({ dtype: 'int64', ...y });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('zip', () => {
  const text = Buffer.from('repeat repeat repeat repeat');

  it('knows the published check value of its checksum', () => {
    for (const sum of [crc32, tableCrc32]) expect(sum(Buffer.from('123456789'))).toBe(0xcbf43926);
  });

  it('reads stored and deflated members', () => {
    const stored = writeZip(new Map([['a/b.txt', text]]));
    expect(Buffer.from(readZip(stored, 'z').get('a/b.txt')!()).toString()).toBe(text.toString());
    expect(Buffer.from(readZip(deflated(), 'z').get('a')!()).toString()).toBe(text.toString());
    const commented = Buffer.concat([stored, Buffer.from('a comment behind')]);
    expect(readZip(commented, 'z').size).toBe(1);
  });

  /** The archive of one deflated member, made from that of a stored one. */
  function deflated(): Buffer {
    const packed = deflateRawSync(text);
    const archive = Buffer.from(writeZip(new Map([['a', packed]])));
    const central = 31 + packed.length;
    archive.writeUInt16LE(8, central + 10);
    archive.writeUInt32LE(crc32(text), central + 16);
    archive.writeUInt32LE(text.length, central + 24);
    return archive;
  }

  it('names what is damaged, encrypted or no archive', () => {
    const cases: [(archive: Buffer) => Buffer | void, string][] = [
      [(archive) => archive.subarray(0, 40), 'z: no zip archive, or truncated'],
      [(archive) => void (archive[33] ^= 1), 'z:a: damaged: its bytes do not match'],
      [
        (archive) => void archive.writeUInt16LE(1, archive.length - 22 - 47 + 8),
        'an encrypted one',
      ],
      [
        (archive) => void archive.writeUInt16LE(9, archive.length - 22 - 47 + 10),
        'compression method 9',
      ],
      [
        (archive) => void (archive[archive.length - 22 - 47] = 0),
        'z: damaged zip archive: member 0',
      ],
    ];
    for (const [spoil, message] of cases) {
      const archive = deflated();
      expect(() => readZip(spoil(archive) ?? archive, 'z').get('a')?.()).toThrow(message);
    }
  });
});
