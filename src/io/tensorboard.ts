import { appendFileSync, mkdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { writeError } from './atomic_file.js';

/*
 * TensorBoard's event files: a TFRecord stream (length, masked CRC-32C of it, data, masked CRC-32C
 * of the data) of Event protocol buffers (tensorflow/core/util/event.proto), written by hand since
 * four fields are all that scalars need.
 */

/** Appends scalars to an event file in `folder`. */
export class EventWriter {
  private readonly path: string;

  constructor(folder: string, now: () => number = () => Date.now() / 1000) {
    this.now = now;
    mkdirSync(folder, { recursive: true });
    this.path = join(folder, `events.out.tfevents.${Math.floor(now())}.${hostname()}`);
    this.append(event(now(), 0, Buffer.concat([key(3, 2), lengthPrefixed('brain.Event:2')])));
  }

  private readonly now: () => number;

  /** One value of the curve `tag`. */
  scalar(tag: string, value: number, step: number): void {
    // Summary { value { tag = 1; simple_value = 2 } = 1 } as field 5 of Event.
    const float = Buffer.alloc(4);
    float.writeFloatLE(value);
    const entry = Buffer.concat([key(1, 2), lengthPrefixed(tag), key(2, 5), float]);
    const summary = Buffer.concat([key(1, 2), lengthPrefixed(entry)]);
    this.append(event(this.now(), step, Buffer.concat([key(5, 2), lengthPrefixed(summary)])));
  }

  private append(data: Buffer): void {
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(data.length));
    try {
      appendFileSync(this.path, Buffer.concat([length, maskedCrc(length), data, maskedCrc(data)]));
    } catch (cause) {
      throw writeError(this.path, cause);
    }
  }
}

/** Event { wall_time = 1 (double); step = 2 (int64); … } */
function event(wallTime: number, step: number, what: Buffer): Buffer {
  const time = Buffer.alloc(8);
  time.writeDoubleLE(wallTime);
  return Buffer.concat([key(1, 1), time, key(2, 0), varint(step), what]);
}

/** Field number and wire type: 0 varint, 1 eight bytes, 2 length-prefixed, 5 four bytes. */
function key(field: number, wireType: number): Buffer {
  return varint(field * 8 + wireType);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest % 128;
    rest = Math.floor(rest / 128);
    bytes.push(rest > 0 ? low + 128 : low);
  } while (rest > 0);
  return Buffer.from(bytes);
}

function lengthPrefixed(content: string | Buffer): Buffer {
  const bytes = Buffer.from(content as string);
  return Buffer.concat([varint(bytes.length), bytes]);
}

const table = Uint32Array.from({ length: 256 }, (_, n) => {
  let value = n;
  // Castagnoli's polynomial, reflected.
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  return value;
});

/** CRC-32C (RFC 3720, appendix B.4). */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ table[(crc ^ byte) & 255];
  return (crc ^ 0xffffffff) >>> 0;
}

/** Rotated and offset, so that a CRC of data that holds a CRC stays meaningful. */
function maskedCrc(bytes: Uint8Array): Buffer {
  const crc = crc32c(bytes);
  const masked = (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32LE(masked);
  return buffer;
}
