import { UsageError } from '../errors.js';
import { F32_RANGE, F32_SMALLEST, isF32 } from '../gpu/f32.js';
import { didYouMean } from '../gpu/nearest_name.js';

/** What values a setting may have, as text on the command line and as JSON in a config file. */
export interface Kind<T> {
  /** For messages: 'a positive whole number'. */
  expected: string;
  /** Every value there is, where they are names. */
  names?: readonly string[];
  /** The value a text stands for; undefined if it stands for none. */
  parse(text: string): T | undefined;
  accepts(value: unknown): value is T;
}

const inRange =
  (low: number, high: number, isWhole: boolean) =>
  (value: unknown): value is number =>
    typeof value === 'number' &&
    value >= low &&
    value <= high &&
    (isWhole ? Number.isSafeInteger(value) : isF32(value));

function numbers(expected: string, accepts: (value: unknown) => value is number): Kind<number> {
  const parse = (text: string): number | undefined => {
    const value = text.trim() === '' ? NaN : Number(text);
    return accepts(value) ? value : undefined;
  };
  return { expected, parse, accepts };
}

export const count = numbers('a positive whole number', inRange(1, Infinity, true));
export const wholeFromZero = numbers('a whole number of at least 0', inRange(0, Infinity, true));
export const positive = numbers(
  `a positive number (f32: ${F32_RANGE})`,
  inRange(Number.MIN_VALUE, Infinity, false),
);
export const fromZero = numbers(
  `a number of at least 0 (f32: 0, or ${F32_RANGE})`,
  inRange(0, Infinity, false),
);
/** A share of 1 that is not all of it. */
export const share = numbers(
  `a number from 0 to less than 1 (f32: 0, or at least ${F32_SMALLEST})`,
  inRange(0, 1 - 2 ** -24, false),
);

export const text: Kind<string> = {
  expected: 'a text',
  parse: (value) => (value === '' ? undefined : value),
  accepts: (value): value is string => typeof value === 'string' && value !== '',
};

export const boolean: Kind<boolean> = {
  expected: 'true or false',
  parse: (value) => (value === 'true' ? true : value === 'false' ? false : undefined),
  accepts: (value): value is boolean => typeof value === 'boolean',
};

export function choice<const T extends string>(...names: readonly T[]): Kind<T> {
  const accepts = (value: unknown): value is T => names.includes(value as T);
  const parse = (value: string): T | undefined => (accepts(value) ? value : undefined);
  return { expected: `one of ${names.join(', ')}`, names, parse, accepts };
}

/** A text that a parser of its own judges: `parser` throws where it means nothing. */
export function parsed(expected: string, parser: (value: string) => unknown): Kind<string> {
  return {
    expected,
    parse(value) {
      parser(value);
      return value;
    },
    accepts(value): value is string {
      if (typeof value !== 'string') return false;
      parser(value);
      return true;
    },
  };
}

/** One number is a square; 0 channels, which only a text gives, are those of the recipe. */
export const imageShape: Kind<readonly [number, number, number]> = {
  expected: 'one number, or H,W,C, such as 64,64,3',
  parse(value) {
    const [height, width = height, channels] = value.split(',').map(Number);
    if (channels !== undefined) {
      const parts = value.split(',').map(Number);
      return imageShape.accepts(parts) ? parts : undefined;
    }
    return [height, width].every((n) => count.accepts(n)) ? [height, width, 0] : undefined;
  },
  accepts: (value): value is [number, number, number] =>
    Array.isArray(value) && value.length === 3 && value.every((n) => count.accepts(n)),
};

/** A list of texts; the option comes once for each. */
export const texts: Kind<readonly string[]> = {
  expected: 'a list of texts',
  parse: (value) => [value],
  accepts: (value): value is string[] =>
    Array.isArray(value) && value.every((part) => text.accepts(part)),
};

/** `name=number` pairs; the option comes once for each. */
export const scales: Kind<Readonly<Record<string, number>>> = {
  expected: 'pattern=number, such as features.*=0.1',
  parse(value) {
    const at = value.lastIndexOf('=');
    const factor = at > 0 ? fromZero.parse(value.slice(at + 1)) : undefined;
    return factor === undefined ? undefined : { [value.slice(0, at)]: factor };
  },
  accepts: (value): value is Record<string, number> =>
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every((factor) => fromZero.accepts(factor)),
};

/** The value of a setting in a config file, or a UsageError that says what was expected. */
export function checked<T>(where: string, key: string, kind: Kind<T>, value: unknown): T {
  if (kind.accepts(value)) return value;
  // JSON would make null of NaN.
  const came = typeof value === 'number' ? String(value) : JSON.stringify(value);
  throw new UsageError(
    `${where}: ${key}: expected ${kind.expected}, got ${came}`,
    typeof value === 'string' ? didYouMean(value, kind.names ?? []) : undefined,
  );
}
