import { appendFileSync, readdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { DataError } from '../errors.js';
import { makeFolder, writeError } from './atomic_file.js';

/*
 * TensorBoard's event files: a TFRecord stream (length, masked CRC-32C of it, data, masked CRC-32C
 * of the data) of Event protocol buffers, written by hand since few fields are needed. The numbers
 * of the fields are those of event.proto, summary.proto, histogram.proto and tensor.proto in
 * tensorflow/core.
 */

export interface EventWriterOptions {
  /** Seconds since 1970. */
  now?: () => number;
  /**
   * The step at which a run goes on: what an interrupted run wrote of this step and later ones is
   * no longer shown.
   */
  resumedAt?: number;
}

/**
 * Writes an event file of its own into `folder`, also where a run that was resumed or a second
 * writer left some: TensorBoard shows the files of a folder as one run, so `events/train` and
 * `events/validation` are two whose curves of one tag lie over each other.
 */
export class EventWriter {
  private readonly path: string;
  private readonly now: () => number;

  constructor(
    folder: string,
    { now = () => Date.now() / 1000, resumedAt }: EventWriterOptions = {},
  ) {
    this.now = now;
    makeFolder(folder);
    const earlier = readdirSync(folder).filter((name) => name.startsWith(PREFIX));
    this.path = join(folder, nextName(earlier, Math.floor(now())));
    this.append(0, field(3, 'brain.Event:2'));
    const begin = earlier.length === 0 ? 0 : resumedAt;
    if (begin !== undefined) this.append(begin, SESSION_START);
  }

  /** One value of the curve `tag`. */
  scalar(tag: string, value: number, step: number): void {
    this.summary(tag, float(2, value), step);
  }

  /**
   * The distribution of `values`, in up to 30 buckets of equal width. Values that are not finite
   * are left out; nothing is written where none is.
   */
  histogram(tag: string, values: Float32Array, step: number): void {
    const histogram = bucketed(values);
    if (!histogram) return;
    const { low, high, count, sum, squares, limits, counts } = histogram;
    const proto = Buffer.concat([
      ...[double(1, low), double(2, high), double(3, count), double(4, sum), double(5, squares)],
      field(6, doubles(limits)),
      field(7, doubles(counts)),
    ]);
    this.summary(tag, field(5, proto), step);
  }

  /** A PNG; its size is read from its header. Throws a DataError if it is none. */
  image(tag: string, bytes: Uint8Array, step: number): void {
    const png = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (png.length < 26 || png.toString('latin1', 1, 4) !== 'PNG') {
      throw new DataError(`tensorboard: image ${tag} is not a PNG (${png.length} bytes)`);
    }
    // IHDR comes first: width, height, bit depth, colour type.
    const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)];
    // Channels of colour types 0 grey, 2 colour, 3 palette, 4 grey with alpha, 6 colour with alpha.
    const colorspace = [1, 0, 3, 3, 2, 0, 4][png[25]];
    const proto = [number(1, height), number(2, width), number(3, colorspace), field(4, png)];
    this.summary(tag, field(4, Buffer.concat(proto)), step);
  }

  /** A text in Markdown. */
  text(tag: string, markdown: string, step: number): void {
    // TensorProto { dtype = 1: DT_STRING = 7; tensor_shape = 2: { dim = 2 { size = 1 } }; string_val = 8 }
    const shape = field(2, field(2, number(1, 1)));
    const tensor = Buffer.concat([number(1, 7), shape, field(8, markdown)]);
    // SummaryMetadata { plugin_data = 1 { plugin_name = 1 }; data_class = 4: DATA_CLASS_TENSOR = 2 }
    const metadata = Buffer.concat([field(1, field(1, 'text')), number(4, 2)]);
    this.summary(tag, Buffer.concat([field(8, tensor), field(9, metadata)]), step);
  }

  /** Summary { value = 1 { tag = 1; … } } as field 5 of Event. */
  private summary(tag: string, value: Buffer, step: number): void {
    this.append(step, field(5, field(1, Buffer.concat([field(1, tag), value]))));
  }

  /** Event { wall_time = 1; step = 2; … } as a record of the file. */
  private append(step: number, what: Buffer): void {
    const data = Buffer.concat([double(1, this.now()), number(2, step), what]);
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(data.length));
    try {
      appendFileSync(this.path, Buffer.concat([length, maskedCrc(length), data, maskedCrc(data)]));
    } catch (cause) {
      throw writeError(this.path, cause);
    }
  }
}

/*
 * SessionLog { status = 1: START = 1 }. A TensorBoard without its data server takes the first START
 * of a run for its beginning, and drops the steps from a later one on: the first file needs one too.
 */
const SESSION_START = field(7, number(1, 1));

const PREFIX = 'events.out.tfevents.';

/**
 * A killed run may have left half a record, so nothing is appended to a file that is there.
 * TensorBoard reads the files in the order of their names: the new one comes last, even where the
 * clock went back or the earlier run ended within the same second.
 */
function nextName(earlier: string[], second: number): string {
  const seconds = earlier.map((name) => Number.parseInt(name.slice(PREFIX.length), 10) + 1);
  const later = Math.max(second, ...seconds.filter(Number.isFinite));
  return `${PREFIX}${later}.${hostname()}.${process.pid}.0`;
}

const BUCKETS = 30;

/** TensorBoard takes a bucket to reach from the limit before it (the minimum, first) to its own. */
function bucketed(values: Float32Array) {
  let [low, high, count, sum, squares] = [Infinity, -Infinity, 0, 0, 0];
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
    count++;
    sum += value;
    squares += value * value;
  }
  if (count === 0) return null;
  const buckets = low === high ? 1 : BUCKETS;
  const width = (high - low) / buckets;
  const counts = new Float64Array(buckets);
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    counts[width === 0 ? 0 : Math.min(buckets - 1, Math.floor((value - low) / width))]++;
  }
  const limits = Float64Array.from(counts, (_, i) =>
    i === buckets - 1 ? high : low + (i + 1) * width,
  );
  return { low, high, count, sum, squares, limits, counts };
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

/** A string, bytes, a message or packed numbers. */
function field(number: number, content: string | Buffer): Buffer {
  const bytes = Buffer.from(content as string);
  return Buffer.concat([key(number, 2), varint(bytes.length), bytes]);
}

function number(field: number, value: number): Buffer {
  return Buffer.concat([key(field, 0), varint(value)]);
}

function float(field: number, value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return Buffer.concat([key(field, 5), bytes]);
}

function double(field: number, value: number): Buffer {
  return Buffer.concat([key(field, 1), doubles([value])]);
}

function doubles(values: ArrayLike<number>): Buffer {
  const bytes = Buffer.alloc(8 * values.length);
  for (let i = 0; i < values.length; i++) bytes.writeDoubleLE(values[i], 8 * i);
  return bytes;
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
