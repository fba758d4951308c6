/** Small tables in text: a line of column names, then rows, separated by semicolons or commas. */
import { readFile } from 'node:fs/promises';
import { DataError } from '../../errors.js';

export interface TableRow {
  /** Line number, for messages. */
  line: number;
  /** By column name. */
  fields: Readonly<Record<string, string>>;
}

/**
 * Reads a table.
 *
 * @param columns those that must be there
 * @throws DataError for a missing file or column, and with its line number for a row with more or fewer
 * fields than the first line
 */
export async function readTable(file: string, columns: readonly string[]): Promise<TableRow[]> {
  const text = await readFile(file, 'utf8').catch((error: Error) => {
    throw new DataError(`${file}: cannot be read: ${error.message}`);
  });
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  const separator = lines[0].includes(';') ? ';' : ',';
  const names = lines[0].split(separator).map((name) => name.trim());
  const missing = columns.filter((name) => !names.includes(name));
  if (missing.length > 0) {
    throw new DataError(
      `${file}: expected a first line with the columns ${columns.join(', ')}, got` +
        ` '${lines[0].slice(0, 80)}'`,
    );
  }
  const rows: TableRow[] = [];
  for (const [index, line] of lines.entries()) {
    if (index === 0 || line.trim() === '') continue;
    const values = line.split(separator).map((value) => value.trim());
    if (values.length !== names.length) {
      throw new DataError(
        `${file}:${index + 1}: expected ${names.length} fields as in the first line, got` +
          ` ${values.length}`,
        'mend that line',
      );
    }
    const fields = Object.fromEntries(names.map((name, column) => [name, values[column]]));
    rows.push({ line: index + 1, fields });
  }
  return rows;
}

/** A field that is a whole number from `least` to `most`; a DataError with its line otherwise. */
export function wholeField(
  file: string,
  { line, fields }: TableRow,
  name: string,
  least: number,
  most: number,
): number {
  const text = fields[name];
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw new DataError(
    `${file}:${line}: ${name} must be a whole number from ${least} to ${most}, got '${text}'`,
    'mend that line',
  );
}
