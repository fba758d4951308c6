/**
 * Reads HDF5 weight files with h5wasm. Nothing in a file is trusted: links may form cycles, sizes may
 * exceed the file, and data may be compressed with a filter that is not available.
 */
import type * as h5wasm from 'h5wasm';
import type { Dataset, Group } from 'h5wasm';
import { DataError } from '../errors.js';
import { readBytes } from './read_bytes.js';

type Library = typeof h5wasm;

/** Loads the HDF5 library, which nothing else needs. Its own complaints become exceptions. */
export async function loadHdf5(): Promise<Library> {
  const library = await import('h5wasm');
  const module = await library.ready;
  module.activate_throwing_error_handler();
  return library;
}

let count = 0;

/** A name in the library's own file system, which lies in memory. */
export function scratchName(): string {
  return `/weights-${count++}.h5`;
}

/** No network nests its layers as deep, nor has as many. */
const MOST_DEPTH = 64;
const MOST_OBJECTS = 50_000;
/** Weights hardly shrink; those of a network of which most are 0 shrink to a tenth or so. */
const MOST_RATIO = 25;
const ALWAYS_BYTES = 2 ** 26;

/** Classes of types (H5T_class_t), and the last of the filters that come with the library. */
const INTEGER = 0;
const FLOAT = 1;
const LAST_OWN_FILTER = 6;

/** An open file, and how much may still be read of it. */
export class Hdf5File {
  private readonly entered = new Set<string>();
  private objectsLeft = MOST_OBJECTS;
  private plainBytesLeft: number;
  private packedBytesLeft: number;

  constructor(
    private readonly library: Library,
    readonly root: Group,
    fileBytes: number,
  ) {
    this.plainBytesLeft = fileBytes;
    this.packedBytesLeft = Math.max(ALWAYS_BYTES, MOST_RATIO * fileBytes);
  }

  /** The group of a name in another one; undefined if there is none. */
  group(parent: Group, name: string): Group | undefined {
    this.countObject();
    const entity = parent.get(name);
    return entity instanceof this.library.Group ? entity : undefined;
  }

  /** The groups in a group with their names, but for those that were met before: links may form rings. */
  newGroups(parent: Group, depth: number): [string, Group][] {
    if (depth > MOST_DEPTH) {
      throw new DataError(`${parent.path.slice(0, 40)}…: groups nest deeper than ${MOST_DEPTH}`);
    }
    return parent.keys().flatMap((name): [string, Group][] => {
      this.countObject();
      const entity = parent.get(name);
      if (!(entity instanceof this.library.Group)) return [];
      // A reference to an object is its address in the file.
      const address = Buffer.from(entity.create_reference().ref_data).toString('hex');
      if (this.entered.has(address)) return [];
      this.entered.add(address);
      return [[name, entity]];
    });
  }

  /** A list of names; long ones are cut into several attributes: name0, name1 and so on. */
  texts(group: Group, attribute: string): string[] {
    const { attrs } = group;
    const textsOf = (name: string): string[] => {
      const value: unknown = attrs[name].value ?? [];
      if (Array.isArray(value) && value.every((part) => typeof part === 'string')) return value;
      throw new DataError(`${group.path}: the attribute ${name} is no list of texts`);
    };
    if (attribute in attrs) return textsOf(attribute);
    const names: string[] = [];
    for (let i = 0; `${attribute}${i}` in attrs; i++) names.push(...textsOf(`${attribute}${i}`));
    return names;
  }

  hasTexts(group: Group, attribute: string): boolean {
    const names = Object.keys(group.attrs);
    return names.some((name) => name === attribute || name === `${attribute}0`);
  }

  /** The numbers of a dataset as f32; null if it holds something else. */
  numbers(
    parent: Group,
    key: string,
    name: string,
  ): { shape: number[]; data: Float32Array } | null {
    this.countObject();
    const dataset = parent.get(key);
    if (!(dataset instanceof this.library.Dataset)) {
      throw new DataError(`${name}: listed in the file, but not there`, 'save the file again');
    }
    const { shape, metadata } = dataset;
    if (shape === null || ![INTEGER, FLOAT].includes(metadata.type)) return null;
    if (metadata.type === FLOAT && metadata.size === 2) {
      throw new DataError(
        `${name}: its values are 16-bit floats, expected 32 or 64 bits`,
        'save the weights as float32',
      );
    }
    this.reserve(dataset, name);
    const { value } = dataset;
    if (typeof value === 'number') return { shape: [], data: Float32Array.of(value) };
    if (!ArrayBuffer.isView(value)) return null;
    const data =
      value instanceof BigInt64Array || value instanceof BigUint64Array
        ? Float32Array.from(value, Number)
        : Float32Array.from(value as unknown as ArrayLike<number>);
    return { shape, data };
  }

  private countObject(): void {
    if (--this.objectsLeft >= 0) return;
    throw new DataError(`holds more than ${MOST_OBJECTS} groups and tensors`);
  }

  /** Throws for sizes that the file cannot hold, before allocating, and for missing filters. */
  private reserve(dataset: Dataset, name: string): void {
    const { filters, metadata } = dataset;
    const filter = filters.find(({ id }) => id > LAST_OWN_FILTER);
    if (filter) throw unreadableFilter(name, filter.name || `number ${filter.id}`);
    const bytes = metadata.size * metadata.shape!.reduce((a, b) => a * b, 1);
    if (filters.length > 0) this.packedBytesLeft -= bytes;
    else this.plainBytesLeft -= bytes;
    if (this.packedBytesLeft >= 0 && this.plainBytesLeft >= 0) return;
    throw new DataError(
      `${name}: [${metadata.shape!.join(', ')}] needs ${bytes} bytes, more than the file can hold`,
      'save the file again, without compression',
    );
  }
}

function unreadableFilter(name: string, filter: string): DataError {
  return new DataError(
    `${name}: its values are compressed with the filter ${filter}, which is not supported`,
    `save the file without ${filter}`,
  );
}

/**
 * What `read` makes of an HDF5 file.
 *
 * Errors: DataError that names the file where it is missing or damaged; those of `read` with the file's
 * name in front.
 */
export async function readHdf5<T>(path: string, read: (file: Hdf5File) => T): Promise<T> {
  const bytes = readBytes(path);
  checkHeaps(path, bytes);
  try {
    return await readBytesOf(bytes, read);
  } catch (cause) {
    if (cause instanceof DataError) {
      const [problem] = cause.message.split('\nfix: ');
      throw new DataError(`${path}: ${problem}`, cause.fix);
    }
    const filter = /required filter '([^']*)'/.exec(String(cause))?.[1];
    if (filter !== undefined) throw unreadableFilter(path, filter);
    throw new DataError(
      `${path}: damaged: not readable as HDF5: ${reasonOf(cause)}`,
      'fetch or save the file again',
    );
  }
}

/** Passes on whatever the library throws: after some kinds of damage all of its functions throw. */
async function readBytesOf<T>(bytes: Buffer, read: (file: Hdf5File) => T): Promise<T> {
  const library = await loadHdf5();
  const { FS } = await library.ready;
  const name = scratchName();
  FS.writeFile(name, bytes);
  try {
    const file = new library.File(name, 'r');
    try {
      return read(new Hdf5File(library, file, bytes.length));
    } finally {
      file.close();
    }
  } finally {
    FS.unlink(name);
  }
}

const HEAP = Buffer.from('GCOL\x01\0\0\0', 'latin1');
const HEAP_HEAD = 16;
const OBJECT_HEAD = 16;

/**
 * Refuses a global heap whose objects do not fill it one behind the other: the library (2.0.0) walks
 * such a one for ever.
 *
 * Source: HDF5 file format specification 3.0, section III.E, with lengths of 8 bytes as Keras has them.
 */
function checkHeaps(path: string, bytes: Buffer): void {
  for (let heap = bytes.indexOf(HEAP); heap !== -1; heap = bytes.indexOf(HEAP, heap + 1)) {
    if (heap + HEAP_HEAD > bytes.length) return;
    const end = Math.min(bytes.length, heap + Number(bytes.readBigUInt64LE(heap + 8)));
    for (let at = heap + HEAP_HEAD; at + OBJECT_HEAD <= end;) {
      const isFree = bytes.readUInt16LE(at) === 0;
      const size = Number(bytes.readBigUInt64LE(at + 8));
      // The size of free space includes its head.
      const next = at + (isFree ? size : OBJECT_HEAD + 8 * Math.ceil(size / 8));
      if (next < at + OBJECT_HEAD || next > end) {
        throw new DataError(
          `${path}: damaged: not readable as HDF5: a heap of texts is broken`,
          'fetch or save the file again',
        );
      }
      at = next;
    }
  }
}

/** The innermost line of the library's account. */
function reasonOf(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause);
  const lines = [...text.matchAll(/ in \w+\(\): (.*)/g)];
  return lines.at(-1)?.[1] ?? text.split('\n')[0];
}
