/**
 * What a value that was read from a file may be: checked once, as it is read, with an error that names
 * the file, the field, what was expected and what came.
 */
import { DataError } from '../errors.js';

/** Takes a value as it is, or throws a Mismatch. `field` is its place: `progress.totals.count`. */
export type Schema<T> = (value: unknown, field: string) => T;

/** A field that is not what its schema expects. */
export class Mismatch extends Error {
  constructor(field: string, expected: string, value: unknown) {
    super(`${field === '' ? '' : `${field}: `}expected ${expected}, got ${shown(value)}`);
  }
}

/** A value in a few words of JSON. */
function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value) ?? typeof value;
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

/** A value that `accepts` takes. */
export function satisfying<T>(
  expected: string,
  accepts: (value: unknown) => value is T,
): Schema<T> {
  return (value, field) => {
    if (accepts(value)) return value;
    throw new Mismatch(field, expected, value);
  };
}

/** Accepts any value; it is checked later. */
export const anything: Schema<unknown> = (value) => value;
export const text = satisfying('a text', (value) => typeof value === 'string');
export const finite = satisfying('a number', (value): value is number => Number.isFinite(value));

export function wholeFrom(least: number, most = Number.MAX_SAFE_INTEGER): Schema<number> {
  const range =
    most < Number.MAX_SAFE_INTEGER ? `from ${least} to ${most}` : `of at least ${least}`;
  return satisfying(
    `a whole number ${range}`,
    (value): value is number =>
      Number.isSafeInteger(value) && inRange(value as number, least, most),
  );
}

export function finiteFrom(least: number): Schema<number> {
  return satisfying(
    `a number of at least ${least}`,
    (value): value is number => Number.isFinite(value) && (value as number) >= least,
  );
}

function inRange(value: number, least: number, most: number): boolean {
  return value >= least && value <= most;
}

export function nullable<T>(schema: Schema<T>): Schema<T | null> {
  return (value, field) => (value === null ? null : schema(value, field));
}

/** A field that may be missing. */
export function optional<T>(schema: Schema<T>): Schema<T | undefined> {
  return (value, field) => (value === undefined ? undefined : schema(value, field));
}

/** A list, of `length` values where that is given. */
export function list<T>(schema: Schema<T>, length?: number): Schema<T[]> {
  return (value, field) => {
    if (!Array.isArray(value) || (length !== undefined && value.length !== length)) {
      throw new Mismatch(field, length === undefined ? 'a list' : `a list of ${length}`, value);
    }
    value.forEach((part, index) => schema(part, `${field}[${index}]`));
    return value as T[];
  };
}

/** Values by names that are not known beforehand. */
export function record<T>(schema: Schema<T>): Schema<Record<string, T>> {
  return (value, field) => {
    if (!isObject(value)) throw new Mismatch(field, 'an object', value);
    for (const [name, part] of Object.entries(value)) schema(part, inner(field, name));
    return value as Record<string, T>;
  };
}

/** An object with the given fields; others pass unseen, as later versions may add some. */
export function object<T extends object>(fields: { [K in keyof T]: Schema<T[K]> }): Schema<T> {
  return (value, field) => {
    if (!isObject(value)) throw new Mismatch(field, 'an object', value);
    for (const name of Object.keys(fields) as (keyof T & string)[]) {
      // Own properties only.
      const part = Object.hasOwn(value, name) ? value[name] : undefined;
      fields[name](part, inner(field, name));
    }
    return value as T;
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function inner(field: string, name: string): string {
  return field === '' ? name : `${field}.${name}`;
}

/**
 * A value as its schema has it; `where` names the file, `field` the value's place in it.
 *
 * Errors: DataError that names the field, what was expected and what came.
 */
export function checkedValue<T>(
  value: unknown,
  schema: Schema<T>,
  { where, field = '', fix }: { where: string; field?: string; fix?: string },
): T {
  try {
    return schema(value, field);
  } catch (cause) {
    if (cause instanceof Mismatch) throw new DataError(`${where}: ${cause.message}`, fix);
    throw cause;
  }
}

/** The value that a JSON text stands for, checked. Errors: as `checkedValue`; DataError for no JSON. */
export function parseChecked<T>(
  json: string | undefined,
  schema: Schema<T>,
  place: { where: string; field?: string; fix?: string },
): T {
  let value: unknown;
  try {
    value = JSON.parse(json!.replace(/^\uFEFF/, ''));
  } catch {
    const came = json === undefined ? 'nothing' : `'${json.trim().slice(0, 40)}'`;
    const field = place.field === undefined ? '' : `${place.field}: `;
    throw new DataError(`${place.where}: ${field}expected JSON, got ${came}`, place.fix);
  }
  return checkedValue(value, schema, place);
}
