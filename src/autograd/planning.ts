import { GpuArray, type DType } from '../gpu/array.js';
import { Storage, type BufferPool } from '../gpu/buffer_pool.js';

/* Ops that are planned but not run: shapes and types without memory or GPU work. */

let isOn = false;

/** True inside planOnly. */
export function isPlanning(): boolean {
  return isOn;
}

/**
 * Runs `fn`, which is synchronous, so that its ops check and work out shapes and do nothing else.
 * Watchers see them; nothing can be read or run backward.
 */
export function planOnly<T>(fn: () => T): T {
  const before = isOn;
  isOn = true;
  try {
    return fn();
  } finally {
    isOn = before;
  }
}

const home = { takeBack: () => undefined } as unknown as BufferPool;

/** An array that no memory stands behind. */
export function plannedArray(shape: readonly number[], dtype: DType): GpuArray {
  return new GpuArray(new Storage(null as unknown as GPUBuffer, 0, home), shape, dtype);
}
