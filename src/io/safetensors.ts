import { DataError } from '../errors.js';
import { writeFileAtomically } from './atomic_file.js';
import { readBytes } from './read_bytes.js';
import {
  anything,
  checkedValue,
  list,
  nullable,
  object,
  record,
  text,
  wholeFrom,
} from './schema.js';

/*
 * The safetensors format: 8 bytes of header length (little endian), a JSON header of name →
 * { dtype, shape, data_offsets }, then the values. https://huggingface.co/docs/safetensors
 */

type SafetensorsType = 'F32' | 'F16' | 'BF16' | 'F64' | 'I64' | 'I32' | 'U32' | 'U8' | 'BOOL';

export interface SavedTensor {
  shape: readonly number[];
  data: Float32Array | Int32Array | Uint32Array | Uint8Array;
}

/** A tensor to write; it may also be of 64-bit integers, which are read as 32-bit ones. */
export interface WritableTensor {
  shape: readonly number[];
  data: SavedTensor['data'] | BigInt64Array;
}

export interface SafetensorsFile {
  tensors: Map<string, SavedTensor>;
  metadata: Record<string, string>;
}

const bytesOfType: Record<SafetensorsType, number> = {
  F32: 4,
  F16: 2,
  BF16: 2,
  F64: 8,
  I64: 8,
  I32: 4,
  U32: 4,
  U8: 1,
  BOOL: 1,
};

function typeOf(data: WritableTensor['data']): SafetensorsType {
  if (data instanceof Float32Array) return 'F32';
  if (data instanceof BigInt64Array) return 'I64';
  if (data instanceof Int32Array) return 'I32';
  return data instanceof Uint32Array ? 'U32' : 'U8';
}

/** Writes tensors and metadata; an existing file is replaced in one step or not at all. */
export function writeSafetensors(
  path: string,
  file: { tensors: ReadonlyMap<string, WritableTensor>; metadata: Record<string, string> },
): void {
  const header: Record<string, unknown> = { __metadata__: file.metadata };
  const parts: Uint8Array[] = [];
  let offset = 0;
  for (const [name, { shape, data }] of file.tensors) {
    header[name] = {
      dtype: typeOf(data),
      shape,
      data_offsets: [offset, offset + data.byteLength],
    };
    parts.push(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    offset += data.byteLength;
  }
  const text = JSON.stringify(header);
  // Values start at a multiple of 8, so that readers can map them in place.
  const json = Buffer.from(text + ' '.repeat((8 - (Buffer.byteLength(text) % 8)) % 8), 'utf8');
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  writeFileAtomically(path, [length, json, ...parts]);
}

/**
 * Reads a safetensors file; f16, bf16 and f64 values come as f32, 64-bit integers as i32.
 *
 * The header may begin with blanks and name tensors in any order and at any alignment; of a name that
 * comes twice the last entry counts. Everything else is as strict as the format's own library (0.8.0):
 * tensors fill the file without gaps, overlaps or bytes behind them, and metadata are texts.
 *
 * Errors: DataError saying what is wrong where the file is missing, truncated or something else.
 */
export function readSafetensors(path: string): SafetensorsFile {
  const bytes = readBytes(path);
  const { header, start } = parseHeader(path, bytes);
  const { __metadata__: metadata, ...entries } = header;
  const texts = checkedValue(metadata ?? null, nullable(record(text)), {
    ...{ where: path, field: '__metadata__' },
  });
  const places = Object.entries(entries).map(([name, entry]) => placeOf(path, name, entry));
  checkLayout(path, places, bytes.length - start);
  const tensors = new Map(
    places.map((place) => [place.name, readTensor(path, bytes.subarray(start), place)]),
  );
  return { tensors, metadata: texts ?? {} };
}

/** One tensor of the header. */
interface TensorPlace {
  name: string;
  dtype: SafetensorsType;
  shape: readonly number[];
  size: number;
  /** Its bytes, counted from the end of the header. */
  from: number;
  to: number;
}

const extent = wholeFrom(0);
const entrySchema = object({ dtype: text, shape: list(extent), data_offsets: list(extent, 2) });

function parseHeader(
  path: string,
  bytes: Buffer,
): { header: Record<string, unknown>; start: number } {
  const foreign = (why: string): DataError =>
    new DataError(
      `${path}: expected a safetensors file, ${why}`,
      'pass a file written by `tilegrad train`, such as RUN/best.safetensors',
    );
  if (bytes.length < 10) throw foreign(`got ${bytes.length} bytes`);
  const length = bytes.readBigUInt64LE(0);
  // A file of another kind has letters or a magic number here: an absurd length.
  if (length > 100_000_000n || ![0x7b, 0x20, 0x09, 0x0a, 0x0d].includes(bytes[8])) {
    throw foreign('but its header is of another kind');
  }
  const start = 8 + Number(length);
  if (start > bytes.length) {
    throw new DataError(
      `${path}: truncated: the header says ${Number(length)} bytes, the file has ${bytes.length - 8} after its length`,
    );
  }
  let json: string;
  let header: unknown;
  try {
    json = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
      bytes.subarray(8, start),
    );
    header = JSON.parse(json);
  } catch {
    throw foreign('but its header is not JSON');
  }
  const odd = /-?\d+(?:\.|[eE])[\d.eE+-]*|-\d+/.exec(json.replace(/"(?:[^"\\]|\\.)*"/g, '""'));
  if (odd) {
    throw new DataError(
      `${path}: expected shapes and offsets as whole numbers in digits alone, got ${odd[0]}`,
    );
  }
  return {
    header: checkedValue(header, record(anything), { where: path, field: 'header' }),
    start,
  };
}

/** Checks one entry of the header by itself. */
function placeOf(path: string, name: string, entry: unknown): TensorPlace {
  const title = `${path}: entry ${JSON.stringify(name)}`;
  const { dtype, shape, data_offsets } = checkedValue(entry, entrySchema, {
    where: `${title} is not {dtype, shape, data_offsets}`,
  });
  const [from, to] = data_offsets;
  const unit = Object.hasOwn(bytesOfType, dtype)
    ? bytesOfType[dtype as SafetensorsType]
    : undefined;
  if (unit === undefined) throw new DataError(`${title} has type ${dtype}, which is not supported`);
  const size = shape.reduce((a, b) => a * b, 1);
  if (to - from !== size * unit) {
    throw new DataError(
      `${title} [${shape.join(', ')}] of ${dtype} needs ${size * unit} bytes, its offsets give ${to - from}`,
    );
  }
  return { name, dtype: dtype as SafetensorsType, shape, size, from, to };
}

/** Checks that the tensors fill the values of a file one behind the other. */
function checkLayout(path: string, places: readonly TensorPlace[], valueBytes: number): void {
  const sorted = [...places].sort((a, b) => a.from - b.from || a.to - b.to);
  let end = 0;
  let before = '';
  for (const { name, from, to } of sorted) {
    if (from !== end) {
      throw new DataError(
        from < end
          ? `${path}: ${before} and ${name} share bytes ${from} to ${Math.min(to, end)}`
          : `${path}: no tensor fills bytes ${end} to ${from}, in front of ${name}`,
        'save the file again',
      );
    }
    [end, before] = [to, name];
  }
  if (end > valueBytes) {
    throw new DataError(
      `${path}: truncated: ${before} ends at byte ${end} of the values, the file has ${valueBytes}`,
      'the file was not written whole; use another checkpoint',
    );
  }
  if (end < valueBytes) {
    throw new DataError(
      `${path}: too long: its tensors end at byte ${end} of the values, the file has ${valueBytes}`,
      'save the file again',
    );
  }
}

function readTensor(path: string, values: Uint8Array, place: TensorPlace): SavedTensor {
  const { name, shape, dtype, size, from, to } = place;
  const { buffer } = new Uint8Array(values.subarray(from, to));
  if (dtype === 'I64') return { shape, data: narrowed(path, name, new BigInt64Array(buffer)) };
  return { shape, data: decode(buffer, dtype, size) };
}

/** 64-bit integers as 32-bit ones. */
function narrowed(path: string, name: string, values: BigInt64Array): Int32Array {
  const wide = values.find((value) => BigInt.asIntN(32, value) !== value);
  if (wide === undefined) return Int32Array.from(values, Number);
  throw new DataError(
    `${path}: entry ${JSON.stringify(name)} holds ${wide}, expected integers of 32 bits`,
    'save it as I32 or as floats',
  );
}

function decode(
  buffer: ArrayBuffer,
  dtype: Exclude<SafetensorsType, 'I64'>,
  size: number,
): SavedTensor['data'] {
  switch (dtype) {
    case 'F32':
      return new Float32Array(buffer);
    case 'I32':
      return new Int32Array(buffer);
    case 'U32':
      return new Uint32Array(buffer);
    case 'U8':
    case 'BOOL':
      return new Uint8Array(buffer);
    case 'F64':
      return Float32Array.from(new Float64Array(buffer));
    case 'BF16': {
      const words = new Uint16Array(buffer);
      return new Float32Array(Uint32Array.from(words, (word) => word << 16).buffer);
    }
    case 'F16': {
      const words = new Uint16Array(buffer);
      return Float32Array.from({ length: size }, (_, i) => halfToFloat(words[i]));
    }
  }
}

/** IEEE 754 binary16 → number. */
function halfToFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
