import { GpuArray, type DType } from '../gpu/array.js';
import { Storage, type BufferPool } from '../gpu/buffer_pool.js';

/* Ops that are planned but not run: shapes and types without memory or GPU work. */

let isOn = false;

/** True inside planOnly. */
export function isPlanning(): boolean {
  return isOn;
}

/**
 * Runs the synchronous `fn` without GPU work: its ops only check and infer shapes. Watchers see the
 * ops; nothing can be read or differentiated.
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

/** An array without memory. */
export function plannedArray(shape: readonly number[], dtype: DType): GpuArray {
  return new GpuArray(new Storage(null as unknown as GPUBuffer, 0, home), shape, dtype);
}
