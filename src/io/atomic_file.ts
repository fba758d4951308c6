import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { DataError } from '../gpu/errors.js';

/**
 * Writes a file so that it is either the old one or the new one, whatever happens: into a
 * temporary file beside it, flushed to the disk, then renamed over it.
 *
 * Errors: DataError when the disk is full or the folder cannot be written; the old file stays.
 */
export function writeFileAtomically(path: string, parts: readonly (Uint8Array | string)[]): void {
  const folder = dirname(path);
  const temporary = join(folder, `.${basename(path)}.${process.pid}.tmp`);
  try {
    mkdirSync(folder, { recursive: true });
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

/** What a failed write means to the person at the keyboard. */
export function writeError(path: string, cause: unknown): DataError {
  const code = (cause as NodeJS.ErrnoException).code ?? '';
  const why: Record<string, [string, string]> = {
    ENOSPC: ['the disk is full', 'free some space, then continue with --resume'],
    EDQUOT: ['the disk quota is used up', 'free some space, then continue with --resume'],
    EACCES: ['no permission to write there', 'choose another folder with --out'],
    EROFS: ['the file system is read-only', 'choose another folder with --out'],
    ENOTDIR: ['part of the path is a file', 'choose another folder with --out'],
    EEXIST: ['a file of that name is there', 'choose another folder with --out'],
  };
  const [text, fix] = why[code] ?? [
    cause instanceof Error ? cause.message : String(cause),
    undefined,
  ];
  return new DataError(`${path}: cannot be written: ${text}; what was there is unharmed`, fix);
}
