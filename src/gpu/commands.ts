import type { Storage } from './buffer_pool.js';
import type { DispatchCommand } from './dispatch.js';

export interface CopyCommand {
  readonly kind: 'copy';
  readonly source: Storage;
  readonly sourceOffset: number;
  /** A pooled buffer, or the staging buffer of a read-back. */
  readonly target: Storage | GPUBuffer;
  readonly targetOffset: number;
  readonly sizeBytes: number;
}

export interface WriteCommand {
  readonly kind: 'write';
  readonly storage: Storage;
  readonly byteOffset: number;
  /** Called each time the command runs, in recorded order. */
  readonly data: () => ArrayBuffer | ArrayBufferView;
  /** True if only one command of the batch uses the buffer, so the write may run first. */
  readonly isHoistable: boolean;
}

export type Command = DispatchCommand | CopyCommand | WriteCommand;

/** A captured command and the loan number of each of its buffers, in the order of `storagesOf`. */
export interface Recorded {
  command: Command;
  loans: readonly number[];
}

/** The pooled buffers that a command touches. */
export function storagesOf(command: Command): readonly Storage[] {
  if (command.kind === 'dispatch') return command.storages;
  if (command.kind === 'write') return [command.storage];
  return 'lastUse' in command.target ? [command.source, command.target] : [command.source];
}

/** Commands in the order in which they are submitted. */
export interface CommandBatch {
  readonly commands: readonly Command[];
  /** Writes that may run before everything else. */
  readonly early: readonly WriteCommand[];
  /** The other commands; consecutive dispatches are grouped. */
  readonly steps: readonly (readonly DispatchCommand[] | CopyCommand | WriteCommand)[];
}

/** A batch that is submitted again and again. */
export interface ReplayedBatch extends CommandBatch {
  /** The pooled buffers it uses, each once. */
  readonly storages: readonly Storage[];
}

export function batchOf(commands: readonly Command[]): CommandBatch {
  const early: WriteCommand[] = [];
  const steps: (DispatchCommand[] | CopyCommand | WriteCommand)[] = [];
  for (const command of commands) {
    if (command.kind === 'write' && command.isHoistable) early.push(command);
    else if (command.kind !== 'dispatch') steps.push(command);
    else {
      const last = steps.at(-1);
      if (Array.isArray(last)) last.push(command);
      else steps.push([command]);
    }
  }
  return { commands, early, steps };
}

export function replayedBatchOf(commands: readonly Command[]): ReplayedBatch {
  return { ...batchOf(commands), storages: [...new Set(commands.flatMap(storagesOf))] };
}
