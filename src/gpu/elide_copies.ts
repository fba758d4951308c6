import { GpuArray, PART_ALIGNMENT } from './array.js';
import type { BufferPool, Storage } from './buffer_pool.js';
import type { DispatchCommand, DispatchRequest } from './dispatch.js';
import { storagesOf, type Command, type CopyCommand, type Recorded } from './commands.js';

/*
 * Removes copies from a captured step. The optimizer needs all gradients in one buffer, but backward
 * allocates an array for each and copies it there. Once the whole step is recorded, it is known whether
 * such an array has any other use; if not, its kernels write to the copy's target directly, and the
 * copy is dropped.
 */

/** Prepares a dispatch of a captured step with other bindings. */
type Rebind = (command: DispatchCommand, bindings: DispatchRequest['bindings']) => DispatchCommand;

/** The commands without avoidable copies; `pool` is the pool of the capture. */
export function withoutCopies(
  recorded: readonly Recorded[],
  pool: BufferPool,
  rebind: Rebind,
): Command[] {
  const commands: (Command | null)[] = recorded.map(({ command }) => command);
  const uses = usesOf(recorded);
  recorded.forEach(({ command, loans }, end) => {
    if (command.kind !== 'copy') return;
    const { source, target } = command;
    if (!('lastUse' in target) || !source.isOf(pool) || target.isOf(pool)) return;
    // Still held, for instance by the caller as a result.
    if (source.loan === loans[0] && !source.isReleased) return;
    const own = uses.get(source)!.filter(({ loan }) => loan === loans[0]);
    if (own.length < 2 || own.at(-1)!.index !== end) return;
    const writers = own.slice(0, -1).map(({ index }) => ({ index, command: commands[index] }));
    const moved = writers.map(({ index, command: writer }) => ({
      index,
      bindings: writer?.kind === 'dispatch' ? redirected(writer, command, target) : null,
    }));
    if (moved.some(({ bindings }) => bindings === null)) return;
    const first = writers[0].index;
    const others = uses.get(target) ?? [];
    const isTouched = others.some(({ index }) => {
      const other = commands[index];
      return index >= first && index < end && other !== null && touches(other, command, target);
    });
    if (isTouched) return;
    for (const { index, bindings } of moved) {
      commands[index] = rebind(commands[index] as DispatchCommand, bindings!);
      others.push({ index, loan: target.loan });
    }
    uses.set(target, others);
    commands[end] = null;
  });
  return commands.filter((command) => command !== null);
}

function usesOf(recorded: readonly Recorded[]): Map<Storage, { index: number; loan: number }[]> {
  const uses = new Map<Storage, { index: number; loan: number }[]>();
  recorded.forEach(({ command, loans }, index) => {
    storagesOf(command).forEach((storage, i) => {
      const use = { index, loan: loans[i] };
      const list = uses.get(storage);
      if (!list) uses.set(storage, [use]);
      else if (list.at(-1)!.index !== index) list.push(use);
    });
  });
  return uses;
}

/** The dispatch's bindings with the copy's target in place of its source; null if that is impossible. */
function redirected(
  { request, pipeline }: DispatchCommand,
  { source, sourceOffset, targetOffset, sizeBytes }: CopyCommand,
  target: Storage,
): DispatchRequest['bindings'] | null {
  // At offset 0 the whole buffer is bound. Kernels may write up to the end of a vector.
  if (sourceOffset !== 0 || targetOffset === 0 || targetOffset % PART_ALIGNMENT !== 0) return null;
  if (sizeBytes % 16 !== 0) return null;
  const bindings: DispatchRequest['bindings'] = {};
  const kinds = new Set<string>();
  for (const { name, kind } of pipeline.shader.bindings) {
    if (kind === 'uniform') continue;
    const array = request.bindings[name];
    const isMoved = array.storage === source;
    if (isMoved && (array.byteOffset !== 0 || array.byteLength !== sizeBytes)) return null;
    bindings[name] = isMoved ? new GpuArray(target, array.shape, array.dtype, targetOffset) : array;
    if (bindings[name].storage === target) kinds.add(kind);
  }
  // A dispatch cannot bind one buffer for both reading and writing.
  return kinds.size > 1 ? null : bindings;
}

/** Whether a command reads or writes what the copy writes. */
function touches(
  command: Command,
  { targetOffset, sizeBytes }: CopyCommand,
  target: Storage,
): boolean {
  const meets = (begin: number, size: number): boolean =>
    begin < targetOffset + sizeBytes && targetOffset < begin + size;
  if (command.kind === 'dispatch') {
    return Object.values(command.request.bindings).some(
      ({ storage, byteOffset, byteLength }) =>
        storage === target &&
        (byteOffset === 0 || meets(byteOffset, Math.ceil(byteLength / 16) * 16)),
    );
  }
  // The length of a write is known only when it runs.
  if (command.kind === 'write') return true;
  const { source, sourceOffset } = command;
  return (
    (source === target && meets(sourceOffset, command.sizeBytes)) ||
    (command.target === target && meets(command.targetOffset, command.sizeBytes))
  );
}
