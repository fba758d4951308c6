import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, it, onTestFinished } from 'vitest';
import { crc32c, EventWriter } from '../../src/io/tensorboard.js';

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tilegrad-events-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** The fields of a protocol buffer: numbers (varints), or bytes of everything else. */
type Fields = Map<number, (number | Buffer)[]>;

function decode(bytes: Buffer): Fields {
  const fields: Fields = new Map();
  let at = 0;
  const varint = (): number => {
    for (let [value, scale] = [0, 1]; ; scale *= 128) {
      const byte = bytes[at++];
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  const take = (count: number): Buffer => bytes.subarray(at, (at += count));
  while (at < bytes.length) {
    const key = varint();
    const read = { 0: varint, 1: () => take(8), 2: () => take(varint()), 5: () => take(4) };
    const value = read[(key & 7) as keyof typeof read]();
    const number = Math.floor(key / 8);
    fields.set(number, [...(fields.get(number) ?? []), value]);
  }
  expect(at).toBe(bytes.length);
  return fields;
}

const bytesOf = (fields: Fields, number: number): Buffer => fields.get(number)![0] as Buffer;
const inner = (fields: Fields, number: number): Fields => decode(bytesOf(fields, number));
const doublesOf = (bytes: Buffer): number[] =>
  Array.from({ length: bytes.length / 8 }, (_, i) => bytes.readDoubleLE(8 * i));

/** The events of a file, after its checksums were checked. */
function events(path: string): Fields[] {
  const bytes = readFileSync(path);
  const unmask = (masked: number): number => {
    const rotated = (masked - 0xa282ead8) >>> 0;
    return ((rotated >>> 17) | (rotated << 15)) >>> 0;
  };
  const found: Fields[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = Number(bytes.readBigUInt64LE(at));
    expect(unmask(bytes.readUInt32LE(at + 8))).toBe(crc32c(bytes.subarray(at, at + 8)));
    const data = bytes.subarray(at + 12, at + 12 + length);
    expect(unmask(bytes.readUInt32LE(at + 12 + length))).toBe(crc32c(data));
    found.push(decode(data));
    at += 16 + length;
  }
  return found;
}

/** What one call of a writer adds to its file: the step and the value of the summary. */
function written(call: (writer: EventWriter) => void): { step: number; value: Fields }[] {
  const folder = temporaryFolder();
  call(new EventWriter(folder, { now: () => 1234.5 }));
  const [name] = readdirSync(folder);
  expect(name).toMatch(/^events\.out\.tfevents\.1234\./);
  const [version, start, ...rest] = events(join(folder, name));
  expect(bytesOf(version, 3).toString()).toBe('brain.Event:2');
  expect([start.get(2), inner(start, 7).get(1)]).toEqual([[0], [1]]);
  return rest.map((event) => {
    expect(bytesOf(event, 1).readDoubleLE(0)).toBe(1234.5);
    return { step: event.get(2)![0] as number, value: inner(inner(event, 5), 1) };
  });
}

it('computes CRC-32C as RFC 3720 appendix B.4 lists it', () => {
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32c(new Uint8Array(32).fill(255))).toBe(0x62a8ab43);
  expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
});

it('writes scalars', () => {
  const [{ step, value }] = written((writer) => writer.scalar('epoch/loss', 0.5, 300));
  expect(step).toBe(300);
  expect(bytesOf(value, 1).toString()).toBe('epoch/loss');
  expect(bytesOf(value, 2).readFloatLE(0)).toBe(0.5);
});

it('writes histograms whose buckets add up, without values that are not finite', () => {
  const values = Float32Array.from([-1, -1, 0, 2, NaN, Infinity, -Infinity]);
  const [{ step, value }] = written((writer) => writer.histogram('w', values, 7));
  expect(step).toBe(7);
  const histogram = inner(value, 5);
  const number = (field: number): number => bytesOf(histogram, field).readDoubleLE(0);
  // Minimum, maximum, count, sum, sum of squares.
  expect([1, 2, 3, 4, 5].map(number)).toEqual([-1, 2, 4, 0, 6]);
  const [limits, counts] = [6, 7].map((field) => doublesOf(bytesOf(histogram, field)));
  expect(limits).toHaveLength(30);
  expect(limits[0]).toBeCloseTo(-0.9, 12);
  expect(limits[29]).toBe(2);
  expect([counts[0], counts[10], counts[29]]).toEqual([2, 1, 1]);
  expect(counts.reduce((a, b) => a + b)).toBe(4);
});

it('writes a histogram of equal values as one bucket, and none of no values', () => {
  const [{ value }, ...others] = written((writer) => {
    writer.histogram('zeros', new Float32Array(5), 1);
    writer.histogram('nothing', Float32Array.of(NaN), 1);
  });
  const histogram = inner(value, 5);
  expect([6, 7].map((field) => doublesOf(bytesOf(histogram, field)))).toEqual([[0], [5]]);
  expect(others).toEqual([]);
});

it('writes images with the size of their PNG', async () => {
  const raw = { width: 5, height: 3, channels: 3 as const };
  const png = await sharp(Buffer.alloc(45, 9), { raw }).png().toBuffer();
  const [{ value }] = written((writer) => writer.image('inputs', png, 2));
  const image = inner(value, 4);
  expect([1, 2, 3].map((field) => image.get(field))).toEqual([[3], [5], [3]]);
  expect(bytesOf(image, 4).equals(png)).toBe(true);
  expect(() => written((writer) => writer.image('inputs', Buffer.alloc(40), 2))).toThrow(
    'tensorboard: image inputs is not a PNG (40 bytes)',
  );
});

it('writes text for the text plugin', () => {
  const [{ value }] = written((writer) => writer.text('network', '**5×5** conv', 0));
  const tensor = inner(value, 8);
  expect(tensor.get(1)).toEqual([7]);
  expect(inner(inner(tensor, 2), 2).get(1)).toEqual([1]);
  expect(bytesOf(tensor, 8).toString()).toBe('**5×5** conv');
  const metadata = inner(value, 9);
  expect(bytesOf(inner(metadata, 1), 1).toString()).toBe('text');
  expect(metadata.get(4)).toEqual([2]);
});

it('leaves what earlier writers wrote, and says from which step on it is void', () => {
  const folder = join(temporaryFolder(), 'events', 'train');
  // The folder is new, so there is nothing to drop from step 3 on: the run begins in it.
  const first = new EventWriter(folder, { now: () => 50, resumedAt: 3 });
  first.scalar('loss', 2, 8);
  const [path] = readdirSync(folder).map((name) => join(folder, name));
  // The first was killed in the midst of a record.
  const [, begin] = events(path);
  expect([begin.get(2), inner(begin, 7).get(1)]).toEqual([[0], [1]]);
  const torn = Buffer.concat([readFileSync(path), Buffer.from([9, 0, 0])]);
  writeFileSync(path, torn);
  // Its clock is behind, yet its file is read last.
  const second = new EventWriter(folder, { now: () => 49, resumedAt: 6 });
  second.scalar('loss', 1, 6);
  expect(readFileSync(path).equals(torn)).toBe(true);
  const names = readdirSync(folder).sort();
  expect(names).toHaveLength(2);
  const [, start, scalar] = events(join(folder, names[1]));
  expect([start.get(2), inner(start, 7).get(1)]).toEqual([[6], [1]]);
  expect(scalar.get(2)).toEqual([6]);
});

it('says where it cannot write', () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'file'), '');
  mkdirSync(join(folder, 'fine'));
  expect(() => new EventWriter(join(folder, 'file', 'events'))).toThrow(
    /events: cannot be written: part of the path is a file/,
  );
});
