import { readFileSync } from 'node:fs';
import { DataError } from '../gpu/errors.js';
import { writeFileAtomically } from './atomic_file.js';

/*
 * The safetensors format: 8 bytes of header length (little endian), a JSON header of name →
 * { dtype, shape, data_offsets }, then the values. https://huggingface.co/docs/safetensors
 */

export type SafetensorsType =
  'F32' | 'F16' | 'BF16' | 'F64' | 'I64' | 'I32' | 'U32' | 'U8' | 'BOOL';

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
 * Errors: DataError saying what is wrong where the file is missing, truncated or something else.
 */
export function readSafetensors(path: string): SafetensorsFile {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    throw new DataError(
      `${path}: cannot be read: ${code === 'ENOENT' ? 'no such file' : (cause as Error).message}`,
    );
  }
  const header = parseHeader(path, bytes);
  const start = 8 + Number(bytes.readBigUInt64LE(0));
  const tensors = new Map<string, SavedTensor>();
  let metadata: Record<string, string> = {};
  for (const [name, value] of Object.entries(header)) {
    if (name === '__metadata__') metadata = value as Record<string, string>;
    else tensors.set(name, readTensor(path, bytes, start, name, value as HeaderEntry));
  }
  return { tensors, metadata };
}

interface HeaderEntry {
  dtype: SafetensorsType;
  shape: number[];
  data_offsets: [number, number];
}

function parseHeader(path: string, bytes: Buffer): Record<string, unknown> {
  const foreign = (why: string): DataError =>
    new DataError(
      `${path}: expected a safetensors file, ${why}`,
      'pass a file written by `tilegrad train`, such as RUN/best.safetensors',
    );
  if (bytes.length < 10) throw foreign(`got ${bytes.length} bytes`);
  const length = bytes.readBigUInt64LE(0);
  // A file of another kind has letters or a magic number here: an absurd length.
  if (length > 100_000_000n || bytes[8] !== 0x7b)
    throw foreign('but its header is of another kind');
  const end = 8 + Number(length);
  if (end > bytes.length) {
    throw new DataError(
      `${path}: truncated: the header says ${Number(length)} bytes, the file has ${bytes.length - 8} after its length`,
    );
  }
  try {
    return JSON.parse(bytes.toString('utf8', 8, end)) as Record<string, unknown>;
  } catch {
    throw foreign('but its header is not JSON');
  }
}

function readTensor(
  path: string,
  bytes: Buffer,
  start: number,
  name: string,
  entry: HeaderEntry,
): SavedTensor {
  const { dtype, shape, data_offsets: offsets } = entry;
  const size = Array.isArray(shape) ? shape.reduce((a, b) => a * b, 1) : NaN;
  const unit = bytesOfType[dtype];
  if (!unit)
    throw new DataError(`${path}: ${name} has type ${String(dtype)}, which is not supported`);
  const [from, to] = Array.isArray(offsets) ? offsets : [NaN, NaN];
  if (to - from !== size * unit || from < 0) {
    throw new DataError(
      `${path}: ${name} [${String(shape)}] of ${dtype} needs ${size * unit} bytes, its offsets give ${to - from}`,
    );
  }
  if (start + to > bytes.length) {
    throw new DataError(
      `${path}: truncated: ${name} ends at byte ${start + to}, the file has ${bytes.length}`,
      'the file was not written whole; use another checkpoint',
    );
  }
  const slice = new Uint8Array(bytes.subarray(start + from, start + to)).buffer;
  return { shape, data: decode(slice, dtype, size) };
}

function decode(buffer: ArrayBuffer, dtype: SafetensorsType, size: number): SavedTensor['data'] {
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
    case 'I64':
      return Int32Array.from(new BigInt64Array(buffer), Number);
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
