/** Files that are read whole. */
import { readFileSync, statSync } from 'node:fs';
import { DataError } from '../errors.js';

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EISDIR: 'it is a folder',
  EACCES: 'permission denied',
  ERR_FS_FILE_TOO_LARGE: 'it is larger than 2 GiB',
};

/**
 * The bytes of a file.
 *
 * Errors: DataError that names the file and says why it cannot be read.
 */
export function readBytes(file: string): Buffer {
  try {
    // A pipe or a device never ends, or has nothing to read.
    const info = statSync(file);
    if (!info.isFile() && !info.isDirectory()) {
      throw new DataError(`${file}: cannot be read: it is no regular file`);
    }
    return readFileSync(file);
  } catch (error) {
    if (error instanceof DataError) throw error;
    throw new DataError(`${file}: cannot be read: ${whyUnreadable(error)}`);
  }
}

/** Why the file system did not let a file be read, in a few words. */
function whyUnreadable(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return REASONS[code ?? ''] ?? message;
}
