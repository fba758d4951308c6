import { closeSync, fstatSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isatty } from 'node:tty';

const STDERR = 2;

/**
 * What Dawn writes on standard error of every adapter whose driver allows more dynamic offsets than
 * it does. Nobody can do anything about it, and nothing here uses them.
 */
const HARMLESS =
  /^Warning: maxDynamic\w+PerPipelineLayout artificially reduced from \d+ to \d+ .*(\n|$)/gm;

export function withoutHarmless(text: string): string {
  return text.replace(HARMLESS, '');
}

/**
 * Runs work, in which native code may write on standard error, without the warnings that are known
 * to be harmless; the rest comes when it is done. Only a terminal or a pipe on Linux can be opened a
 * second time without harm: a file would be written from its beginning.
 */
export async function withoutNativeWarnings<T>(work: () => Promise<T>): Promise<T> {
  const redirected = redirect();
  if (!redirected) return work();
  try {
    return await work();
  } finally {
    const rest = withoutHarmless(redirected.restore());
    if (rest !== '') process.stderr.write(rest);
  }
}

function redirect(): { restore: () => string } | null {
  if (process.platform !== 'linux') return null;
  if (!isatty(STDERR) && !fstatSync(STDERR).isFIFO()) return null;
  // Node opens a terminal of its own for its stream: before the descriptor is another file.
  void process.stderr;
  let kept: number;
  try {
    kept = openSync(`/proc/self/fd/${STDERR}`, 'a');
  } catch {
    return null; // of another user
  }
  const folder = mkdtempSync(join(tmpdir(), 'tilegrad-stderr-'));
  const path = join(folder, 'text');
  // The lowest descriptor that is free is the one that was closed just now.
  closeSync(STDERR);
  openSync(path, 'a');
  return {
    restore: () => {
      closeSync(STDERR);
      openSync(`/proc/self/fd/${kept}`, 'a');
      closeSync(kept);
      const text = readFileSync(path, 'utf8');
      rmSync(folder, { recursive: true, force: true });
      return text;
    },
  };
}
