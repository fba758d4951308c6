import { arrayText } from './array.js';
import type { BufferPool, Storage } from './buffer_pool.js';
import type { Command } from './commands.js';

/*
 * A captured step owns most of its buffers; others it borrows: parameters, the optimizer's state,
 * whatever the function took from outside. A buffer that was released may be in use elsewhere, and a
 * replay would compute with those values.
 */

/** A buffer that the step does not own, as it was at capture. */
export interface Borrowed {
  readonly storage: Storage;
  readonly loan: number;
  /** What it held, for error texts: `f32 [3, 3] (gradients of adam step)`. */
  readonly what: string;
}

/** Buffers that the commands use and that come neither from the step's pool nor are kept by it. */
export function borrowedBy(
  commands: readonly Command[],
  pool: BufferPool,
  kept: readonly Storage[],
): Borrowed[] {
  const own = new Set(kept);
  const found = new Map<Storage, string | null>();
  const note = (storage: Storage, what: string | null): void => {
    if (storage.isOf(pool) || own.has(storage)) return;
    // A dispatch describes the buffer better than a copy does.
    found.set(storage, found.get(storage) ?? what);
  };
  for (const command of commands) {
    if (command.kind === 'dispatch') {
      const { op, bindings } = command.request;
      for (const [name, array] of Object.entries(bindings)) {
        note(array.storage, `${arrayText(array)} (${name} of ${op})`);
      }
    } else if (command.kind === 'write') note(command.storage, null);
    else {
      note(command.source, null);
      if ('lastUse' in command.target) note(command.target, null);
    }
  }
  return [...found].map(([storage, what]) => ({
    ...{ storage, loan: storage.loan },
    what: what ?? `an array of ${storage.byteLength} bytes`,
  }));
}

/** Whether a borrowed buffer was released since. */
export function isGone({ storage, loan }: Borrowed): boolean {
  return storage.isReleased || storage.loan !== loan;
}
