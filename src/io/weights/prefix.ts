import { DataError } from '../../errors.js';
import type { ModelLayer } from './model_layers.js';
import type { WeightFile } from './types.js';

/*
 * Wrappers put a prefix before every name of a state dict: "module." under DataParallel, "model." in
 * Lightning, or the field that holds the network. Names are compared without it.
 */

/** What all of these dotted names begin with, up to and with a dot; at least their last part is left. */
function sharedPrefix(names: readonly string[]): string {
  const [first = '', ...others] = names.map((name) => name.split('.').slice(0, -1));
  const parts = first.length === 0 ? [] : [...first];
  for (const other of others) {
    const end = parts.findIndex((part, i) => part !== other[i]);
    if (end !== -1) parts.length = end;
  }
  return parts.map((part) => `${part}.`).join('');
}

export interface Prefixes {
  /** Before the names of the network. */
  own: string;
  /** Before the names of the file. */
  file: string;
}

/**
 * The prefixes without which a file's layers have the names of the network's: the file's is the one under
 * which most of the network's layers are found, and at least half of them; else none is subtracted.
 *
 * Errors: DataError if two prefixes hold equally many of them, as weights and their moving
 * averages do.
 */
export function prefixesOf(targets: readonly ModelLayer[], file: WeightFile): Prefixes {
  const own = sharedPrefix(targets.map(({ path }) => path));
  const kinds = new Map(targets.map(({ path, kind }) => [path.slice(own.length), kind]));
  const counts = new Map<string, number>();
  for (const { name, kind } of file.layers) {
    for (let at = 0; ; at = name.indexOf('.', at) + 1) {
      const prefix = name.slice(0, at);
      if (kinds.get(name.slice(at)) === kind) counts.set(prefix, (counts.get(prefix) ?? 0) + 1);
      if (!name.includes('.', at)) break;
    }
  }
  const most = Math.max(0, ...counts.values());
  const best = [...counts.keys()].filter((prefix) => counts.get(prefix) === most);
  if (most * 2 < targets.length || best.includes(own)) return { own, file: own };
  if (best.length === 1) return { own, file: best[0] };
  const [one, other] = best.map((prefix) =>
    prefix === '' ? 'without a prefix' : `under "${prefix}"`,
  );
  throw new DataError(
    `${file.path}: ambiguous: it holds ${most} layers of the model ${one} and as many ${other}`,
    'save the file with one of the two sets alone',
  );
}
