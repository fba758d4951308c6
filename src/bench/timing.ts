import type { Runtime } from '../gpu/runtime.js';
import type { BenchDocument } from './types.js';

export function timingSource(runtime: Runtime, isWallClock = false): BenchDocument['timing'] {
  return runtime.hasTimestamps && !isWallClock ? 'timestamp-query' : 'wall clock';
}
