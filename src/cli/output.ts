import { writeSync } from 'node:fs';
import { isatty } from 'node:tty';
import { TilegradError } from '../errors.js';
import { whyNotWritten } from '../io/atomic_file.js';
import { wrap } from './wrap.js';
import { visible, visibleJson } from '../visible.js';

/*
 * All that the program says goes through here. Results go to standard output: where they cannot be
 * written, the command has failed, unless the reader has gone (`| head`). Notes go to standard
 * error: they are information, and nothing depends on whether somebody reads them.
 */

const STDOUT = 1;
/** How long to wait for the reader of a pipe that is full and does not block. */
const FULL_PIPE_MS = 5;

let isReaderGone = false;

export function isTerminal(): boolean {
  return isatty(STDOUT);
}

/** Whether text may be styled, by what the environment says: no-color.org, and a terminal that cannot. */
function mayStyle(env: NodeJS.ProcessEnv = process.env): boolean {
  return !env.NO_COLOR && env.TERM !== 'dumb';
}

/** What standard output shows, where it is a terminal. */
export const standardOutput = {
  get columns(): number {
    return process.stdout.columns || 80;
  },
  get hasColour(): boolean {
    return mayStyle();
  },
};

/** Prints lines on standard output, names in them as data: a line stays one line. */
export function print(lines: readonly string[]): void {
  write(lines.map((line) => `${visible(line)}\n`).join(''));
}

/** Prints text of the program's own, which may hold the escapes that style a terminal. */
export function printStyled(text: string): void {
  write(text);
}

export function printJson(value: unknown): void {
  write(`${visibleJson(JSON.stringify(value, null, 2))}\n`);
}

/** Says one line on standard error; a terminal that is narrower gets it in several, at words. */
export function note(line: string): void {
  const shown = visible(line);
  const { isTTY, columns } = standardError;
  const lines = isTTY && columns > 0 ? wrap(shown, columns, labelWidth(shown)) : [shown];
  standardError.write(`${lines.join('\n')}\n`);
}

/** Columns of a label such as `adapter  `, under which the lines after the first are set in. */
function labelWidth(line: string): number {
  return /^\w{1,12} {2,}/.exec(line)?.[0].length ?? 2;
}

/** Says a text on standard error whose line feeds end lines. */
export function noteLines(text: string): void {
  standardError.write(`${text.split('\n').map(visible).join('\n')}\n`);
}

/** Standard error for what draws over itself. Never fails, whatever became of the stream. */
export const standardError = {
  get isTTY(): boolean {
    return process.stderr.isTTY ?? false;
  },
  get columns(): number {
    return process.stderr.columns ?? 0;
  },
  write(text: string): void {
    process.stderr.write(text);
  },
};

// Both are called for a stream that fails later than its write: a reader that went away, a terminal
// that was closed.
process.stderr.on('error', () => undefined);
if (isTerminal()) process.stdout.on('error', () => undefined);

/** Waits until what was written is with its reader. */
export async function flush(): Promise<void> {
  const streams = isTerminal() ? [process.stdout, process.stderr] : [process.stderr];
  for (const stream of streams) {
    await new Promise<void>((resolve) => stream.write('', () => resolve()));
  }
}

/**
 * Writes all of a text at once. Node's own stream for a file takes a short write, the first sign of
 * a full disk, for a whole one.
 */
function write(text: string): void {
  // A console wants its own encoding, which only Node's stream knows.
  if (isTerminal()) {
    process.stdout.write(text);
    return;
  }
  const bytes = Buffer.from(text, 'utf8');
  for (let at = 0; at < bytes.length && !isReaderGone;) {
    try {
      at += writeSync(STDOUT, bytes, at);
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      // Windows says EOF.
      if (code === 'EPIPE' || code === 'EOF') isReaderGone = true;
      else if (code === 'EAGAIN') pause(FULL_PIPE_MS);
      else throw outputError(cause);
    }
  }
}

function pause(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

function outputError(cause: unknown): TilegradError {
  return new TilegradError(
    `standard output: ${whyNotWritten(cause)}; what was to be printed is not there, or not whole`,
    'make room there, or send the output elsewhere',
  );
}
