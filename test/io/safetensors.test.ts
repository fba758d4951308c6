import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DataError } from '../../src/errors.js';
import { writeFileAtomically } from '../../src/io/atomic_file.js';
import { readSafetensors, writeSafetensors } from '../../src/io/safetensors.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tilegrad-safetensors-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const sample = () => ({
  tensors: new Map([
    ['layer.weight', { shape: [2, 3], data: new Float32Array([1, -2.5, 3, 4, 5, 1e-30]) }],
    ['layer.steps', { shape: [1], data: new Int32Array([-7]) }],
    ['image', { shape: [3], data: new Uint8Array([0, 128, 255]) }],
  ]),
  metadata: { format: 'test', config: '{"a":1}' },
});

/** A file with any header, and values of so many bytes. */
function craft(name: string, header: unknown, bytes: number): string {
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  const path = join(folder, name);
  writeFileSync(path, Buffer.concat([length, json, Buffer.alloc(bytes)]));
  return path;
}

describe('safetensors', () => {
  it('reads back what it wrote, bit for bit', () => {
    const path = join(folder, 'a.safetensors');
    writeSafetensors(path, sample());
    const { tensors, metadata } = readSafetensors(path);
    expect(metadata).toEqual(sample().metadata);
    expect([...tensors]).toEqual([...sample().tensors]);
  });

  it('lays the file out as the format says: values begin at a multiple of 8', () => {
    const path = join(folder, 'b.safetensors');
    writeSafetensors(path, sample());
    const bytes = readFileSync(path);
    const length = Number(bytes.readBigUInt64LE(0));
    expect((8 + length) % 8).toBe(0);
    const header = JSON.parse(bytes.toString('utf8', 8, 8 + length)) as Record<string, unknown>;
    expect(header['layer.weight']).toEqual({ dtype: 'F32', shape: [2, 3], data_offsets: [0, 24] });
    expect(bytes.readFloatLE(8 + length + 4)).toBe(-2.5);
  });

  it('widens f16, bf16 and f64, and narrows 64-bit integers', () => {
    const header = {
      half: { dtype: 'F16', shape: [4], data_offsets: [0, 8] },
      brain: { dtype: 'BF16', shape: [1], data_offsets: [8, 10] },
      double: { dtype: 'F64', shape: [1], data_offsets: [10, 18] },
      long: { dtype: 'I64', shape: [1], data_offsets: [18, 26] },
    };
    const path = craft('c.safetensors', header, 26);
    const bytes = readFileSync(path);
    const start = bytes.length - 26;
    // 1.5, −2, the smallest subnormal 2⁻²⁴, infinity.
    [0x3e00, 0xc000, 0x0001, 0x7c00].forEach((word, i) => bytes.writeUInt16LE(word, start + 2 * i));
    bytes.writeUInt16LE(0x4049, start + 8);
    bytes.writeDoubleLE(0.25, start + 10);
    bytes.writeBigInt64LE(-5n, start + 18);
    writeFileSync(path, bytes);
    const { tensors } = readSafetensors(path);
    expect(Array.from(tensors.get('half')!.data)).toEqual([1.5, -2, 2 ** -24, Infinity]);
    expect(Array.from(tensors.get('brain')!.data)).toEqual([3.140625]);
    expect(Array.from(tensors.get('double')!.data)).toEqual([0.25]);
    expect(Array.from(tensors.get('long')!.data)).toEqual([-5]);
  });

  it('says what is wrong with a file', () => {
    const path = join(folder, 'd.safetensors');
    writeSafetensors(path, sample());
    const whole = readFileSync(path);
    const cut = join(folder, 'cut.safetensors');
    writeFileSync(cut, whole.subarray(0, whole.length - 3));
    expect(() => readSafetensors(cut)).toThrow(
      /truncated: image ends at byte \d+ of the values, the file has/,
    );
    writeFileSync(cut, whole.subarray(0, 40));
    expect(() => readSafetensors(cut)).toThrow(/truncated: the header says \d+ bytes/);
    const foreign = join(folder, 'foreign.png');
    writeFileSync(foreign, Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'));
    expect(() => readSafetensors(foreign)).toThrow(
      /expected a safetensors file.*\nfix: pass a file/,
    );
    expect(() => readSafetensors(join(folder, 'none'))).toThrow('no such file');
    const odd = craft('odd', { x: { dtype: 'F32', shape: [3], data_offsets: [0, 8] } }, 8);
    expect(() => readSafetensors(odd)).toThrow(
      'entry "x" [3] of F32 needs 12 bytes, its offsets give 8',
    );
    const type = craft('type', { x: { dtype: 'F8', shape: [3], data_offsets: [0, 3] } }, 3);
    expect(() => readSafetensors(type)).toThrow('entry "x" has type F8, which is not supported');
  });
});

/** A file with any text as its header. */
function craftText(header: string | Buffer, bytes: number): string {
  const json = Buffer.from(header);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  const path = join(folder, 'text.safetensors');
  writeFileSync(path, Buffer.concat([length, json, Buffer.alloc(bytes)]));
  return path;
}

const f32 = (shape: unknown, from: unknown, to: unknown): string =>
  JSON.stringify({ dtype: 'F32', shape, data_offsets: [from, to] });

describe('a safetensors header', () => {
  it.each<[string, string, number, string]>([
    [
      'no entry',
      '{"a":null}',
      0,
      'entry "a" is not {dtype, shape, data_offsets}: expected an object',
    ],
    ['a list', '{"a":[]}', 0, 'is not {dtype, shape, data_offsets}: expected an object, got []'],
    [
      'no type',
      '{"a":{}}',
      0,
      'is not {dtype, shape, data_offsets}: dtype: expected a text, got nothing',
    ],
    [
      'a type of objects',
      '{"a":{"dtype":"toString","shape":[],"data_offsets":[0,0]}}',
      0,
      'has type toString',
    ],
    ['a text as shape', `{"a":${f32('4', 0, 4)}}`, 4, 'shape: expected a list, got "4"'],
    [
      'a negative extent',
      `{"a":${f32([-2, -2], 0, 16)}}`,
      16,
      'whole numbers in digits alone, got -2',
    ],
    ['half an extent', `{"a":${f32([0.5, 4], 0, 8)}}`, 8, 'whole numbers in digits alone, got 0.5'],
    ['half an offset', `{"a":${f32([1], 0.5, 4.5)}}`, 5, 'whole numbers in digits alone, got 0.5'],
    [
      'an extent with a point',
      '{"a":{"dtype":"F32","shape":[4.0],"data_offsets":[0,16]}}',
      16,
      'got 4.0',
    ],
    ['an exponent', '{"a":{"dtype":"F32","shape":[4e0],"data_offsets":[0,16]}}', 16, 'got 4e0'],
    [
      'one offset',
      '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}}',
      4,
      'data_offsets: expected a list of 2',
    ],
    ['extents beyond counting', `{"a":${f32([2 ** 40, 2 ** 40], 0, 4)}}`, 4, 'its offsets give 4'],
    [
      'shared bytes',
      `{"a":${f32([2], 0, 8)},"b":${f32([2], 4, 12)}}`,
      12,
      'a and b share bytes 4 to 8',
    ],
    [
      'an empty tensor inside another',
      `{"a":${f32([2], 0, 8)},"b":${f32([0], 4, 4)}}`,
      8,
      'share bytes',
    ],
    [
      'a hole',
      `{"a":${f32([1], 0, 4)},"b":${f32([1], 8, 12)}}`,
      12,
      'no tensor fills bytes 4 to 8, in front of b',
    ],
    ['a hole in front', `{"a":${f32([1], 4, 8)}}`, 8, 'no tensor fills bytes 0 to 4'],
    [
      'bytes behind',
      `{"a":${f32([1], 0, 4)}}`,
      6,
      'too long: its tensors end at byte 4 of the values, the file has 6',
    ],
    ['bytes and no tensor', '{}', 6, 'too long'],
    ['a list of metadata', '{"__metadata__":[]}', 0, '__metadata__: expected an object, got []'],
    [
      'a number of metadata',
      '{"__metadata__":{"format":5}}',
      0,
      '__metadata__.format: expected a text, got 5',
    ],
    [
      'an entry named twice, of other bytes',
      `{"a":${f32([1], 0, 4)},"a":${f32([1], 4, 8)}}`,
      8,
      'no tensor fills',
    ],
    ['a list at all', ' []', 0, 'header: expected an object, got []'],
    ['half a header', '{"a":', 0, 'but its header is not JSON'],
    ['a byte order mark', '\uFEFF{}', 0, 'but its header is of another kind'],
  ])('is refused with %s', (_, header, bytes, message) => {
    const path = craftText(header, bytes);
    expect(() => readSafetensors(path)).toThrow(DataError);
    expect(() => readSafetensors(path)).toThrow(message);
    expect(() => readSafetensors(path)).toThrow(path);
  });

  it('is refused when it is no UTF-8', () => {
    const header = Buffer.from('{"a?":{"dtype":"U8","shape":[],"data_offsets":[0,1]}}');
    header[3] = 0xff;
    expect(() => readSafetensors(craftText(header, 1))).toThrow('but its header is not JSON');
  });

  it.each<[string, string, number, string[]]>([
    ['blanks in front', ' {}', 0, []],
    ['any order', `{"b":${f32([1], 4, 8)},"a":${f32([1], 0, 4)}}`, 8, ['b', 'a']],
    [
      'no alignment',
      `{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":${f32([1], 1, 5)}}`,
      5,
      ['a', 'b'],
    ],
    ['no metadata but null', '{"__metadata__":null}', 0, []],
    [
      'empty tensors',
      `{"a":${f32([0, 5], 0, 0)},"b":${f32([1], 0, 4)},"c":${f32([0], 4, 4)}}`,
      4,
      ['a', 'b', 'c'],
    ],
    [
      'an entry named twice, of the same bytes',
      `{"a":${f32([2], 0, 8)},"a":${f32([1, 2], 0, 8)}}`,
      8,
      ['a'],
    ],
    [
      'names like those of every object',
      `{"__proto__":${f32([1], 0, 4)},"toString":${f32([1], 4, 8)}}`,
      8,
      ['__proto__', 'toString'],
    ],
    ['digits and points in a name', `{"1.5e3 \\"-2":${f32([1], 0, 4)}}`, 4, ['1.5e3 "-2']],
  ])('may have %s', (_, header, bytes, names) => {
    expect([...readSafetensors(craftText(header, bytes)).tensors.keys()]).toEqual(names);
  });

  it('is not believed about integers that do not fit', () => {
    const path = craft('wide', { n: { dtype: 'I64', shape: [2], data_offsets: [0, 16] } }, 16);
    const bytes = readFileSync(path);
    bytes.writeBigInt64LE(-(2n ** 31n), bytes.length - 16);
    writeFileSync(path, bytes);
    expect([...readSafetensors(path).tensors.get('n')!.data]).toEqual([-(2 ** 31), 0]);
    bytes.writeBigInt64LE(2n ** 31n, bytes.length - 8);
    writeFileSync(path, bytes);
    expect(() => readSafetensors(path)).toThrow('entry "n" holds 2147483648, expected integers of');
  });
});

describe('atomic files', () => {
  it('replaces a file whole and leaves nothing beside it', () => {
    const inner = join(folder, 'atomic');
    writeFileAtomically(join(inner, 'x'), ['one', new Uint8Array([33])]);
    writeFileAtomically(join(inner, 'x'), ['two']);
    expect(readFileSync(join(inner, 'x'), 'utf8')).toBe('two');
    expect(readdirSync(inner)).toEqual(['x']);
  });

  it('keeps the old file when the new one cannot be written', () => {
    const file = join(folder, 'plain');
    writeFileAtomically(file, ['kept']);
    expect(() => writeFileAtomically(join(file, 'below'), ['lost'])).toThrow(DataError);
    expect(() => writeFileAtomically(join(file, 'below'), ['lost'])).toThrow(
      /cannot be written: .*what was there is unharmed/,
    );
    expect(readFileSync(file, 'utf8')).toBe('kept');
  });
});
