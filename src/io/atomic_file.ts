import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { DataError } from '../errors.js';

/**
 * Writes a file so that it is either the old one or the new one, whatever happens: into a
 * temporary file beside it, flushed to the disk, then renamed over it.
 *
 * Errors: WriteError when the disk is full or the folder cannot be written; the old file stays.
 */
export function writeFileAtomically(path: string, parts: readonly (Uint8Array | string)[]): void {
  const folder = dirname(path);
  makeFolder(folder);
  const temporary = join(folder, `.${basename(path)}.${process.pid}.tmp`);
  try {
    const file = openSync(temporary, 'w');
    try {
      for (const part of parts) {
        const bytes = typeof part === 'string' ? Buffer.from(part, 'utf8') : part;
        for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at, bytes.length - at);
      }
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (cause) {
    try {
      rmSync(temporary, { force: true });
    } catch {
      // Where its folder cannot even be looked into, it was not made.
    }
    throw writeError(path, cause);
  }
}

/**
 * Makes a folder and those above it; returns the topmost that was not there.
 *
 * Errors: WriteError if that cannot be.
 */
export function makeFolder(path: string): string | undefined {
  try {
    return makeWithParents(resolve(path));
  } catch (cause) {
    throw writeError(path, cause);
  }
}

/**
 * What `recursive: true` is for. Node's own says ENOENT where the system said that it is read-only,
 * and never ends below a folder such as /proc that answers ENOENT to every mkdir.
 */
function makeWithParents(path: string): string | undefined {
  if (isFolder(path)) return undefined;
  const parent = dirname(path);
  const above = parent !== path && !existsSync(parent) ? makeWithParents(parent) : undefined;
  try {
    mkdirSync(path);
    return above ?? path;
  } catch (cause) {
    // Another process may have made it meanwhile.
    if (!isFolder(path)) throw cause;
    return above;
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** A file that could not be written; the old one, where there was one, is unharmed. */
export class WriteError extends DataError {
  constructor(
    readonly problem: string,
    /** The system's code, such as ENOSPC. */
    readonly code: string,
    fix: string,
  ) {
    super(problem, fix);
  }

  /** Whether the same would work once there is room. */
  get isFull(): boolean {
    return this.code === 'ENOSPC' || this.code === 'EDQUOT';
  }

  /** The same error with the way out of the command that met it. */
  withFix(fix: string): WriteError {
    return new WriteError(this.problem, this.code, fix);
  }
}

/** The error for a failed write. */
export function writeError(path: string, cause: unknown): WriteError {
  const error = new WriteError(
    `${path}: cannot be written: ${whyNotWritten(cause)}; what was there is unharmed`,
    codeOf(cause),
    'choose another place for it',
  );
  return error.isFull ? error.withFix('free some space, then run the command again') : error;
}

/** The reason of a failed write in a few words. */
export function whyNotWritten(cause: unknown): string {
  return reasons[codeOf(cause)] ?? (cause instanceof Error ? cause.message : String(cause));
}

const reasons: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EACCES: 'no permission to write there',
  EPERM: 'no permission to write there',
  EROFS: 'the file system is read-only',
  ENOTDIR: 'part of the path is a file',
  EEXIST: 'a file of that name is there',
  EISDIR: 'a folder of that name is there',
  ENAMETOOLONG: 'the name is too long',
  EFBIG: 'the file would be larger than is allowed there',
  EIO: 'the device reports an error',
  EBADF: 'it is not open for writing',
};

function codeOf(cause: unknown): string {
  return (cause as NodeJS.ErrnoException).code ?? '';
}
