/** Damage to the bytes of a file: seeded, so that any of it can be done again. */

export type Random = () => number;

/** Numbers in [0, 1) that a seed and the number of a case determine (mulberry32). */
export function randomOf(seed: number, index: number): Random {
  let state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(index + 1, 0xc2b2ae35);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const below = (random: Random, limit: number): number => Math.floor(random() * limit);
const oneOf = <T>(random: Random, values: readonly T[]): T => values[below(random, values.length)];

/** Values that lengths, offsets and counts should not have. */
const NUMBERS = [0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x10000, 0x7fffffff, 0x80000000];
const WORDS = [...NUMBERS, 0xfffffffe, 0xffffffff];
const TOKENS = [
  ...['null', 'true', '-1', '0', '1.5', '1e999', '4294967296', '9007199254740993', '""', '"x"'],
  ...['[]', '{}', '[null]', '[-1]', '[1e9,1e9]', '{"a":1}', '', ',', '"', '\\', '\u0000', '\u202e'],
];

type Mutation = (bytes: Buffer, random: Random) => Buffer;

const flipBit: Mutation = (bytes, random) => {
  bytes[below(random, bytes.length)] ^= 1 << below(random, 8);
  return bytes;
};

const setByte: Mutation = (bytes, random) => {
  bytes[below(random, bytes.length)] = oneOf(random, NUMBERS) & 0xff;
  return bytes;
};

const setWord: Mutation = (bytes, random) => {
  if (bytes.length < 4) return bytes;
  const at = below(random, bytes.length - 3);
  if (random() < 0.5) bytes.writeUInt32LE(oneOf(random, WORDS), at);
  else bytes.writeUInt32BE(oneOf(random, WORDS), at);
  return bytes;
};

/** Headers are at the beginning of most files. */
const setEarly: Mutation = (bytes, random) => {
  const head = bytes.subarray(0, Math.min(64, bytes.length));
  return (setWord(head, random), bytes);
};

const cutEnd: Mutation = (bytes, random) => bytes.subarray(0, below(random, bytes.length));

const grow: Mutation = (bytes, random) =>
  Buffer.concat([bytes, Buffer.alloc(1 + below(random, 40), below(random, 256))]);

const removeBlock: Mutation = (bytes, random) => {
  const at = below(random, bytes.length);
  return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + below(random, 16))]);
};

const repeatBlock: Mutation = (bytes, random) => {
  const at = below(random, bytes.length);
  const block = bytes.subarray(at, at + 1 + below(random, 32));
  return Buffer.concat([bytes.subarray(0, at), block, bytes.subarray(at)]);
};

/** Puts another value in the place of a number, a text or a word of the file's text. */
const replaceToken: Mutation = (bytes, random) => {
  const text = bytes.toString('latin1');
  const tokens = [
    ...text.matchAll(/-?\d+(?:\.\d+)?|"[^"]{0,60}"|null|true|false|\[[^[\]]{0,60}\]/g),
  ];
  if (tokens.length === 0) return setByte(bytes, random);
  const token = oneOf(random, tokens);
  const after = token.index + token[0].length;
  return Buffer.from(
    text.slice(0, token.index) + oneOf(random, TOKENS) + text.slice(after),
    'latin1',
  );
};

const ANY: readonly Mutation[] = [
  ...[flipBit, setByte, setWord, setEarly, cutEnd, grow, removeBlock, repeatBlock, replaceToken],
];
const IN_TEXT: readonly Mutation[] = [replaceToken, replaceToken, replaceToken, ...ANY];

/** A damaged copy: one to three mutations. */
export function mutate(bytes: Uint8Array, random: Random, isText = false): Buffer {
  let result: Buffer = Buffer.from(bytes);
  for (let n = 1 + below(random, 3); n > 0 && result.length > 0; n--) {
    result = Buffer.from(oneOf(random, isText ? IN_TEXT : ANY)(result, random));
  }
  return result;
}
