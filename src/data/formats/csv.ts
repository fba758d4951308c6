/**
 * Images as CSV: one line per image, the label first, then its pixels from 0 to 255, row by row.
 * The way MNIST is often passed on (60ktrain.csv). Plain or gzip-compressed, header line or not; numbers may be
 * quoted, and be written as floats (13.0).
 */
import { join } from 'node:path';
import { DataError } from '../../errors.js';
import { checkLabels, MemoryDataset, numberedClasses } from '../dataset.js';
import { readWhole } from './gzip.js';
import type { Layout } from '../layout.js';
import { listed, partOfName, PARTS, PART_WORDS, type Part } from '../parts.js';

const QUOTE = 34;
const POINT = 46;
const NEWLINE = 10;
const RETURN = 13;
const SPACE = 32;
const COMMA = 44;
const MINUS = 45;
const ZERO = 48;
const NINE = 57;

export function isCsvName(name: string): boolean {
  return /\.csv(\.gz)?$/i.test(name);
}

/**
 * CSV files of a folder as a layout: each part is the file that is named after it; a single file of
 * another name is for training.
 */
export function csvLayout(
  folder: string,
  names: readonly string[],
  { classCount }: { classCount?: number },
): Layout {
  const of = (part: Part | undefined): string[] =>
    names.filter((name) => partOfName(name) === part);
  const files = { train: of('train'), validation: of('validation'), test: of('test') };
  let others = of(undefined);
  if (files.train.length === 0 && others.length === 1) [files.train, others] = [others, []];
  const parts: Partial<Record<Part, string>> = {};
  for (const part of PARTS) {
    if (files[part].length > 0) parts[part] = join(folder, listed(files[part]));
  }
  const isUnclear = files.train.length === 0 && others.length > 0;
  return {
    parts,
    notes:
      others.length > 0 && !isUnclear
        ? [`${folder}: CSV files that are not used: ${listed(others)}`]
        : [],
    open: async (part, beside) => {
      const candidates = files[part];
      const isNeeded = part === 'train' && beside === undefined && isUnclear;
      if (candidates.length === 0 && !isNeeded) return undefined;
      if (candidates.length !== 1) {
        throw new DataError(
          `${folder}: expected one CSV file for the ${PART_WORDS[part]} part, got ` +
            (candidates.length === 0 ? `none among ${names.join(', ')}` : candidates.join(', ')),
          'name the file itself',
        );
      }
      const count = beside?.classNames.length ?? classCount;
      return openCsv(join(folder, candidates[0]), candidates[0], count);
    },
  };
}

/** Reads a CSV file of grey square images. */
export async function openCsv(file: string, name = 'csv', classCount = 10): Promise<MemoryDataset> {
  return parseCsv(await readWhole(file), file, name, classCount);
}

/**
 * Takes such a file apart.
 *
 * @throws DataError with the line number for a field that is not a whole number from 0 to 255, a line
 * with more or fewer fields than the first, or a label that is no class; and for a number of pixels
 * that makes no square
 */
export function parseCsv(
  bytes: Uint8Array,
  file: string,
  name: string,
  classCount: number,
): MemoryDataset {
  const lines = new CsvLines(bytes);
  if (lines.isDone()) throw new DataError(`${file}: the file is empty`);
  if (lines.isHeader()) lines.skip();
  if (lines.isDone()) throw new DataError(`${file}: a header line and nothing else`);
  const columns = lines.countFields();
  const side = Math.round(Math.sqrt(columns - 1));
  if (columns < 2 || side * side !== columns - 1) {
    throw new DataError(
      `${file}:${lines.line}: ${columns} fields: a label and ${columns - 1} pixels, which make no` +
        ` square image`,
      'expected a label and for example 784 pixels (28 × 28) in each line',
    );
  }
  const capacity = lines.mostRows(columns);
  const pixels = side * side;
  const images = new Uint8Array(capacity * pixels);
  const labels = new Int32Array(capacity);
  const lineOf = new Int32Array(capacity);
  const fields = new Int32Array(columns);
  let count = 0;
  for (; !lines.isDone(); count++) {
    lineOf[count] = lines.line;
    const problem = lines.read(fields);
    if (problem !== undefined) throw new DataError(`${file}:${lineOf[count]}: ${problem}`);
    labels[count] = fields[0];
    images.set(fields.subarray(1), count * pixels);
  }
  checkLabels(file, labels.subarray(0, count), classCount, (index) => `line ${lineOf[index]}`);
  return new MemoryDataset({
    name,
    imageShape: [side, side, 1],
    classNames: numberedClasses(classCount),
    labels: labels.slice(0, count),
    images: images.subarray(0, count * pixels),
    describe: (index) => `${file}:${lineOf[index]}`,
  });
}

/** Walks over the lines of a text in bytes; blank lines are passed over, line numbers count them. */
class CsvLines {
  line = 1;
  private at = 0;

  constructor(private readonly bytes: Uint8Array) {
    // A byte order mark, as spreadsheet programs write it.
    if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) this.at = 3;
    this.skipBlank();
  }

  isDone(): boolean {
    return this.at >= this.bytes.length;
  }

  /** A line that begins with a letter or the like names its columns; quotes say nothing. */
  isHeader(): boolean {
    let first = this.at;
    while (this.bytes[first] === SPACE || this.bytes[first] === QUOTE) first++;
    const byte = this.bytes[first];
    return (byte < ZERO || byte > NINE) && byte !== COMMA && byte !== MINUS;
  }

  skip(): void {
    this.at = this.endOfLine() + 1;
    this.line++;
    this.skipBlank();
  }

  countFields(): number {
    const end = this.endOfLine();
    let fields = 1;
    for (let at = this.at; at < end; at++) if (this.bytes[at] === COMMA) fields++;
    return fields;
  }

  /**
   * At least as many as there are rows left: no more than lines, and none of fewer bytes than a digit
   * and a separator for each field, so that blank lines ask for no memory.
   */
  mostRows(columns: number): number {
    const most = Math.ceil((this.bytes.length - this.at + 1) / (2 * columns));
    let count = 1;
    for (let at = this.at; count < most && at < this.bytes.length; at++) {
      if (this.bytes[at] === NEWLINE) count++;
    }
    return count;
  }

  /** Reads the fields of this line and goes to the next; returns what is wrong, if something is. */
  read(fields: Int32Array): string | undefined {
    const { bytes } = this;
    const end = this.endOfLine();
    let at = this.at;
    for (let column = 0; column < fields.length; column++) {
      const begin = at;
      let value = 0;
      let digits = 0;
      while (bytes[at] === SPACE) at++;
      const isQuoted = bytes[at] === QUOTE;
      if (isQuoted) at++;
      for (; at < end && bytes[at] >= ZERO && bytes[at] <= NINE && digits < 4; at++, digits++) {
        value = value * 10 + bytes[at] - ZERO;
      }
      if (bytes[at] === POINT) for (at++; at < end && bytes[at] === ZERO;) at++;
      if (isQuoted && bytes[at++] !== QUOTE) digits = 0;
      while (at < end && (bytes[at] === SPACE || bytes[at] === RETURN)) at++;
      const isLast = column === fields.length - 1;
      const isEnded = isLast ? at === end : at < end && bytes[at] === COMMA;
      if (!isEnded || digits === 0 || value > 255) {
        return this.problem(begin, end, column, fields.length);
      }
      fields[column] = value;
      at++;
    }
    this.skip();
    return undefined;
  }

  private problem(begin: number, end: number, column: number, expected: number): string {
    const came = this.countFields();
    if (came !== expected) return `expected ${expected} fields as in the first line, got ${came}`;
    const comma = this.bytes.indexOf(COMMA, begin);
    const stop = comma === -1 || comma > end ? end : comma;
    const text = Buffer.from(this.bytes.subarray(begin, Math.min(stop, begin + 40))).toString();
    const what = column === 0 ? 'the label' : `pixel ${column}`;
    return `${what} must be a whole number from 0 to 255, got '${text.trim()}'`;
  }

  private endOfLine(): number {
    const end = this.bytes.indexOf(NEWLINE, this.at);
    return end === -1 ? this.bytes.length : end;
  }

  private skipBlank(): void {
    const { bytes } = this;
    for (let at = this.at; at < bytes.length; at++) {
      const byte = bytes[at];
      if (byte === NEWLINE) {
        this.line++;
        this.at = at + 1;
      } else if (byte !== SPACE && byte !== RETURN) return;
    }
    this.at = bytes.length;
  }
}
