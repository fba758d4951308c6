/*
 * Where in a user's program a call came from, for error texts. Each engine formats stack traces
 * differently; all end a line with `file:line:column`.
 */

/** The folder of this package's modules; null in a bundle, where it is unknown. */
const ownFolder = folderOf((import.meta as { url?: string }).url);

/** Nested modules put many frames between a user's call and the error. */
const DEEPEST = 100;

/** `file:line` of the innermost frame outside this package; null if there is none. */
export function callSite(): string | null {
  const settings = Error as { stackTraceLimit?: number };
  const before = settings.stackTraceLimit;
  settings.stackTraceLimit = DEEPEST;
  const { stack } = new Error();
  if (before !== undefined) settings.stackTraceLimit = before;
  return firstOutside(stack ?? '', ownFolder);
}

/** The same for the text of a stack trace; frames in the folder `own` are skipped. */
export function firstOutside(stack: string, own: string | null): string | null {
  for (const line of stack.split('\n')) {
    const place = /(?:\(|\bat (?:async )?|@)?([^()@]+):(\d+):\d+\)?$/.exec(line.trim());
    if (!place) continue;
    const file = plainPath(place[1]);
    const isFile = /^(?:\/|[A-Za-z]:\/|https?:\/\/)/.test(file);
    if (isFile && !(own !== null && file.startsWith(own))) return `${file}:${place[2]}`;
  }
  return null;
}

function folderOf(url: string | undefined): string | null {
  if (url === undefined) return null;
  // This module lies one folder below.
  return plainPath(url).split('/').slice(0, -2).join('/') + '/';
}

/** A file's path, whether a trace has it as a path or as an address. */
function plainPath(text: string): string {
  if (!text.startsWith('file://')) return text.replaceAll('\\', '/');
  const path = decodeURI(text.slice('file://'.length));
  return /^\/[A-Za-z]:/.test(path) ? path.slice(1) : path;
}
