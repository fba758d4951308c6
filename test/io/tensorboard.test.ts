import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { crc32c, EventWriter } from '../../src/io/tensorboard.js';

it('computes CRC-32C as RFC 3720 appendix B.4 lists it', () => {
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32c(new Uint8Array(32).fill(255))).toBe(0x62a8ab43);
  expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
});

it('writes records that a TFRecord reader accepts', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tilegrad-events-'));
  const writer = new EventWriter(folder, () => 1234.5);
  writer.scalar('epoch/loss', 0.5, 300);
  const [name] = readdirSync(folder);
  expect(name).toMatch(/^events\.out\.tfevents\.1234\./);
  const bytes = readFileSync(join(folder, name));
  const records: Buffer[] = [];
  const unmask = (masked: number): number => {
    const rotated = (masked - 0xa282ead8) >>> 0;
    return ((rotated >>> 17) | (rotated << 15)) >>> 0;
  };
  for (let at = 0; at < bytes.length;) {
    const length = Number(bytes.readBigUInt64LE(at));
    expect(unmask(bytes.readUInt32LE(at + 8))).toBe(crc32c(bytes.subarray(at, at + 8)));
    const data = bytes.subarray(at + 12, at + 12 + length);
    expect(unmask(bytes.readUInt32LE(at + 12 + length))).toBe(crc32c(data));
    records.push(data);
    at += 16 + length;
  }
  expect(records).toHaveLength(2);
  expect(records[0].toString('latin1')).toContain('brain.Event:2');
  // wall_time, step 300 as a varint, summary with tag and 0.5 as a float.
  expect(records[1].readDoubleLE(1)).toBe(1234.5);
  expect(records[1].subarray(9, 12).toString('hex')).toBe('10ac02');
  expect(records[1].toString('latin1')).toContain('epoch/loss');
  expect(records[1].readFloatLE(records[1].length - 4)).toBe(0.5);
  rmSync(folder, { recursive: true });
});
