/**
 * The little of Python's pickle that CIFAR's Python version consists of: dictionaries, lists, tuples,
 * numbers, strings, and one NumPy array of bytes. Nothing is called or imported: the globals that make
 * an array are known by name, and any other is an error.
 *
 * Source: Python, `pickletools` (the opcodes of protocol 2); NumPy, `ndarray.__reduce__`.
 */
import { DataError } from '../../errors.js';

/** A matrix of unsigned bytes, row by row. */
export interface PickledMatrix {
  shape: [rows: number, columns: number];
  values: Uint8Array;
}

/** Strings of Python 2 are bytes; the keys of dictionaries are made text. */
export type Pickled =
  null | boolean | number | string | Uint8Array | Pickled[] | PickledMap | PickledMatrix | Global;
type PickledMap = Map<string, Pickled>;

/** A global, or what calling it with `parts` would make. */
interface Global {
  global: string;
  parts?: Pickled[];
}

const ARRAY = 'numpy.core.multiarray _reconstruct';
const GLOBALS = [ARRAY, 'numpy ndarray', 'numpy dtype'];
const MARK = Symbol('mark');

/**
 * Reads a pickle.
 *
 * @throws DataError for a file that is no pickle, is truncated, or holds anything else
 */
export function parsePickle(bytes: Uint8Array, file: string): Pickled {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const stack: (Pickled | typeof MARK)[] = [];
  const memo = new Map<number, Pickled>();
  let at = 0;

  const fail = (reason: string): never => {
    throw new DataError(
      `${file}: expected a pickle of CIFAR's Python version, but ${reason} (before byte ${at})`,
      'unpack the archive again, or take the binary version',
    );
  };
  /** The position of the next `count` bytes, which are passed over. */
  const skip = (count: number): number => {
    if (at + count > bytes.length) fail('it is truncated');
    return (at += count) - count;
  };
  const uint8 = (): number => view.getUint8(skip(1));
  const uint32 = (): number => view.getUint32(skip(4), true);
  const raw = (count: number): Uint8Array => {
    const start = skip(count);
    return bytes.subarray(start, start + count);
  };
  const line = (): string => {
    const end = bytes.indexOf(10, at);
    const text = textOf(raw(end === -1 ? Infinity : end - at));
    skip(1);
    return text;
  };
  const push = (value: Pickled | typeof MARK): number => stack.push(value);
  const pop = (): Pickled => {
    const value = stack.pop();
    return value === undefined || value === MARK ? fail('a value is missing') : value;
  };
  const tuple = (count: number): number => push(Array.from({ length: count }, pop).reverse());
  /** The values since the last mark. */
  const marked = (): Pickled[] => {
    const mark = stack.lastIndexOf(MARK);
    if (mark === -1) fail('a mark is missing');
    return stack.splice(mark).slice(1) as Pickled[];
  };
  const append = (values: Pickled[]): void => {
    const list = pop();
    if (!Array.isArray(list)) return fail('a list is missing');
    for (const value of values) list.push(value);
    push(list);
  };
  const setItems = (values: Pickled[]): void => {
    const map = pop();
    if (!(map instanceof Map)) return fail('a dictionary is missing');
    for (let i = 0; i + 1 < values.length; i += 2) map.set(textOf(values[i]), values[i + 1]);
    push(map);
  };
  const keep = (key: number): void => {
    const value = pop();
    memo.set(key, value);
    push(value);
  };
  const recall = (key: number): number => push(memo.get(key) ?? fail(`nothing is kept as ${key}`));
  const global = (name: string): number =>
    GLOBALS.includes(name) ? push({ global: name }) : fail(`it asks for '${name}'`);
  const call = (): void => {
    const [parts, called] = [pop(), pop()];
    if (!isGlobal(called) || !Array.isArray(parts)) return fail('a call is missing');
    push({ ...called, parts });
  };
  const build = (): void => {
    const [state, built] = [pop(), pop()];
    if (!isGlobal(built) || !Array.isArray(state)) return fail('the state of an array is missing');
    // Of an element type all that counts came with the call.
    push(
      built.global === ARRAY ? (matrixOf(state) ?? fail('its array is of another kind')) : built,
    );
  };
  const steps: Readonly<Record<string, () => unknown>> = {
    ...{ '\x80': uint8, '(': () => push(MARK), '}': () => push(new Map()), ']': () => push([]) },
    ...{ N: () => push(null), '\x88': () => push(true), '\x89': () => push(false) },
    ...{ K: () => push(uint8()), M: () => push(view.getUint16(skip(2), true)) },
    ...{ J: () => push(view.getInt32(skip(4), true)), X: () => push(textOf(raw(uint32()))) },
    ...{ U: () => push(raw(uint8())), T: () => push(raw(uint32())) },
    ...{ '\x85': () => tuple(1), '\x86': () => tuple(2), '\x87': () => tuple(3) },
    ...{ t: () => push(marked()), e: () => append(marked()), a: () => append([pop()]) },
    ...{ u: () => setItems(marked()), s: () => setItems([pop(), pop()].reverse()) },
    ...{ q: () => keep(uint8()), r: () => keep(uint32()) },
    ...{ h: () => recall(uint8()), j: () => recall(uint32()) },
    ...{ c: () => global(`${line()} ${line()}`), R: call, b: build },
  };
  for (;;) {
    const code = String.fromCharCode(uint8());
    if (code === '.') return pop();
    const step = steps[code] ?? fail(`the opcode ${JSON.stringify(code)} is not one of them`);
    step();
  }
}

/** The matrix that `(version, shape, dtype, isFortran, bytes)` describes, if it is one. */
function matrixOf([, shape, dtype, isFortran, values]: Pickled[]): PickledMatrix | undefined {
  const isBytes = isGlobal(dtype) && dtype.parts !== undefined && textOf(dtype.parts[0]) === 'u1';
  if (!isBytes || !Array.isArray(shape) || !(values instanceof Uint8Array)) return undefined;
  const [rows, columns] = shape.map(Number);
  if (shape.length !== 2 || rows * columns !== values.length) return undefined;
  if (isFortran !== true) return { shape: [rows, columns], values };
  const byRows = values.map((_, i) => values[(i % columns) * rows + Math.floor(i / columns)]);
  return { shape: [rows, columns], values: byRows };
}

function isGlobal(value: Pickled): value is Global {
  return typeof value === 'object' && value !== null && 'global' in value;
}

/** Strings of Python 2 are bytes. */
export function textOf(value: Pickled): string {
  if (value instanceof Uint8Array) return new TextDecoder().decode(value);
  return typeof value === 'string' ? value : '';
}
