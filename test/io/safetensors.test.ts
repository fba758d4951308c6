import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DataError } from '../../src/gpu/errors.js';
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
      double: { dtype: 'F64', shape: [1], data_offsets: [16, 24] },
      long: { dtype: 'I64', shape: [1], data_offsets: [24, 32] },
    };
    const path = craft('c.safetensors', header, 32);
    const bytes = readFileSync(path);
    const start = bytes.length - 32;
    // 1.5, −2, the smallest subnormal 2⁻²⁴, infinity.
    [0x3e00, 0xc000, 0x0001, 0x7c00].forEach((word, i) => bytes.writeUInt16LE(word, start + 2 * i));
    bytes.writeUInt16LE(0x4049, start + 8);
    bytes.writeDoubleLE(0.25, start + 16);
    bytes.writeBigInt64LE(-5n, start + 24);
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
    expect(() => readSafetensors(cut)).toThrow(/truncated: image ends at byte \d+, the file has/);
    writeFileSync(cut, whole.subarray(0, 40));
    expect(() => readSafetensors(cut)).toThrow(/truncated: the header says \d+ bytes/);
    const foreign = join(folder, 'foreign.png');
    writeFileSync(foreign, Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'));
    expect(() => readSafetensors(foreign)).toThrow(
      /expected a safetensors file.*\nfix: pass a file/,
    );
    expect(() => readSafetensors(join(folder, 'none'))).toThrow('no such file');
    const odd = craft('odd', { x: { dtype: 'F32', shape: [3], data_offsets: [0, 8] } }, 8);
    expect(() => readSafetensors(odd)).toThrow('x [3] of F32 needs 12 bytes, its offsets give 8');
    const type = craft('type', { x: { dtype: 'F8', shape: [3], data_offsets: [0, 3] } }, 3);
    expect(() => readSafetensors(type)).toThrow('x has type F8, which is not supported');
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
