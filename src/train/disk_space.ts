import { existsSync, statfsSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { optionName, TrainingError, trainerName } from '../errors.js';
import { sizeOf } from '../gpu/array.js';
import type { Module } from '../nn/index.js';
import type { Optimizer } from '../optim/index.js';

/** Bytes of the tensors that a checkpoint holds. */
export function checkpointBytes(model: Module, optimizer: Optimizer): number {
  const tensors = [...model.stateDict().values(), ...optimizer.stateDict().tensors.values()];
  return tensors.reduce((sum, { shape }) => sum + 4 * sizeOf(shape), 0);
}

/** Free bytes where a folder is, or will be; infinite where the file system does not say. */
function freeBytes(folder: string): number {
  let existing = resolve(folder);
  while (!existsSync(existing)) existing = dirname(existing);
  const { bsize, blocks, bavail } = statfsSync(existing);
  return blocks === 0 ? Infinity : bsize * bavail;
}

/**
 * Whether a run's checkpoints fit on the disk, before its first step: the best, the last, and one
 * that is being written.
 *
 * Errors: TrainingError with the bytes that are wanted and those that are free.
 */
export function checkDiskSpace(folder: string, bytes: number, free = freeBytes(folder)): void {
  const paths = ['best', 'last'].map((name) => join(folder, `${name}.safetensors`));
  const held = paths.reduce((sum, path) => sum + (existsSync(path) ? statSync(path).size : 0), 0);
  const wanted = Math.max(bytes, 3 * bytes - held);
  if (free >= wanted) return;
  throw new TrainingError(
    `${trainerName()}: ${folder}: the run needs ${megabytes(wanted)} for its checkpoints of ${megabytes(bytes)}, ` +
      `the disk has ${megabytes(free)} free`,
    `free some space, or choose a folder on another disk with ${optionName('out')}`,
  );
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
}
