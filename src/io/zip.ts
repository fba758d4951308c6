/**
 * Zip archives in memory: stored and deflated members are read through the central directory; written
 * are stored ones. Neither encryption nor archives from 4 GiB on (zip64) but for NumPy's way of marking
 * small members with it, which the central directory does not need.
 *
 * Source: PKWARE, APPNOTE.TXT, sections 4.3 and 4.4.
 */
import * as zlib from 'node:zlib';
import { DataError } from '../errors.js';

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const END_BYTES = 22;
const STORED = 0;
const DEFLATED = 8;

/** What the directory says of a member. */
interface Entry {
  name: string;
  method: number;
  isEncrypted: boolean;
  sum: number;
  packedBytes: number;
  plainBytes: number;
  /** Where its local header is, and where its bytes begin and end. */
  at: number;
  begin: number;
  end: number;
}

/**
 * The members of an archive by their names; folders are passed over. Each is unpacked only when it
 * is asked for, and anew each time.
 *
 * Members that share bytes are refused: a small archive could otherwise unpack to any size.
 *
 * @param file for messages
 * @throws DataError for what is no archive, and for members that overlap or lie outside it; a member
 * throws one when it is damaged, encrypted or packed by another method
 */
export function readZip(bytes: Uint8Array, file: string): Map<string, () => Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = findEnd(view);
  if (end === -1) {
    throw new DataError(`${file}: no zip archive, or truncated: its directory is missing`);
  }
  const entries: Entry[] = [];
  const count = view.getUint16(end + 10, true);
  let at = view.getUint32(end + 16, true);
  for (let index = 0; index < count; index++) {
    if (at + 46 > end || view.getUint32(at, true) !== CENTRAL) {
      throw new DataError(`${file}: damaged zip archive: member ${index} is not in its directory`);
    }
    const nameLength = view.getUint16(at + 28, true);
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameLength));
    if (!name.endsWith('/')) entries.push(readEntry(view, at, `${file}:${name}`, name));
    at += 46 + nameLength + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  checkApart(entries, file);
  return new Map(entries.map((entry) => [entry.name, () => unpack(bytes, entry, file)]));
}

/** Where the end record begins; a comment of at most 65,535 bytes may follow it. */
function findEnd(view: DataView): number {
  const last = view.byteLength - END_BYTES;
  for (let at = last; at >= Math.max(0, last - 65_535); at--) {
    if (view.getUint32(at, true) === END) return at;
  }
  return -1;
}

function readEntry(view: DataView, entry: number, where: string, name: string): Entry {
  const packedBytes = view.getUint32(entry + 20, true);
  const plainBytes = view.getUint32(entry + 24, true);
  const at = view.getUint32(entry + 42, true);
  if ([packedBytes, plainBytes, at].includes(0xffffffff)) {
    throw new DataError(`${where}: members from 4 GiB on are not read`, 'save it as a plain file');
  }
  const isThere = at + 30 <= view.byteLength && view.getUint32(at, true) === LOCAL;
  if (!isThere) throw damaged(where);
  const begin = at + 30 + view.getUint16(at + 26, true) + view.getUint16(at + 28, true);
  const end = begin + packedBytes;
  if (end > view.byteLength) throw damaged(where);
  return {
    ...{ name, packedBytes, plainBytes, at, begin, end },
    method: view.getUint16(entry + 10, true),
    isEncrypted: (view.getUint16(entry + 8, true) & 1) !== 0,
    sum: view.getUint32(entry + 16, true),
  };
}

function checkApart(entries: readonly Entry[], file: string): void {
  const sorted = [...entries].sort((a, b) => a.at - b.at);
  for (let index = 1; index < sorted.length; index++) {
    const [before, next] = [sorted[index - 1], sorted[index]];
    if (next.at >= before.end) continue;
    throw new DataError(
      `${file}: damaged zip archive: its members ${before.name} and ${next.name} share bytes`,
    );
  }
}

function unpack(bytes: Uint8Array, entry: Entry, file: string): Uint8Array {
  const { method, isEncrypted, plainBytes } = entry;
  const where = `${file}:${entry.name}`;
  if (isEncrypted || (method !== STORED && method !== DEFLATED)) {
    throw new DataError(
      `${where}: expected a stored or deflated member, got ` +
        (isEncrypted ? 'an encrypted one' : `compression method ${method}`),
    );
  }
  const packed = bytes.subarray(entry.begin, entry.end);
  let plain = packed;
  if (method === DEFLATED) {
    try {
      plain = zlib.inflateRawSync(packed, { maxOutputLength: Math.max(1, plainBytes) });
    } catch {
      throw damaged(where);
    }
  }
  if (plain.length !== plainBytes || crc32(plain) !== entry.sum) throw damaged(where);
  return plain;
}

function damaged(name: string): DataError {
  return new DataError(`${name}: damaged: its bytes do not match the archive's directory`);
}

/** An archive of the given members, stored as they are, dated 1980. */
export function writeZip(members: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let at = 0;
  for (const [name, bytes] of members) {
    const title = new TextEncoder().encode(name);
    // From 'version needed' to 'extra length', the same in both records.
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(0x21, 8);
    common.writeUInt32LE(crc32(bytes), 10);
    common.writeUInt32LE(bytes.length, 14);
    common.writeUInt32LE(bytes.length, 18);
    common.writeUInt16LE(title.length, 22);
    const local = Buffer.alloc(4);
    local.writeUInt32LE(LOCAL);
    const central = Buffer.alloc(6);
    central.writeUInt32LE(CENTRAL);
    central.writeUInt16LE(20, 4);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(at, 10);
    directory.push(central, common, tail, title);
    parts.push(local, common, title, bytes);
    at += 30 + title.length + bytes.length;
  }
  const directoryBytes = directory.reduce((sum, part) => sum + part.length, 0);
  const end = Buffer.alloc(END_BYTES);
  end.writeUInt32LE(END);
  end.writeUInt16LE(members.size, 8);
  end.writeUInt16LE(members.size, 10);
  end.writeUInt32LE(directoryBytes, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...parts, ...directory, end]);
}

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let sum = byte;
  for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1;
  return sum;
});

/** CRC-32 by table, for Node before 20.15, whose zlib does not offer its own. */
export function tableCrc32(bytes: Uint8Array): number {
  let sum = -1;
  for (let i = 0; i < bytes.length; i++) sum = (sum >>> 8) ^ TABLE[(sum ^ bytes[i]) & 0xff];
  return ~sum >>> 0;
}

/** The checksum of zip and PNG: CRC-32 of ISO 3309. */
export const crc32: (bytes: Uint8Array) => number =
  typeof zlib.crc32 === 'function' ? (bytes) => zlib.crc32(bytes) : tableCrc32;
