import type { MemoryWatcher, Storage } from './buffer_pool.js';
import { storagesOf, type Command } from './commands.js';
import type { Runtime } from './runtime.js';

/** Memory of a step in bytes: what it used, and the least it needs. */
export interface StepMemory {
  /** The most that was live at once, rounded up to the pool's sizes as `device.memory` counts. */
  peakBytes: number;
  /** What the driver holds for replays: all buffers that were live before, and the step's own. */
  heldBytes: number;
  /** The largest sum of arrays alive at once, each from its first to its last command. */
  boundBytes: number;
  /** The part that existed before and stays: parameters, optimizer state, running statistics. */
  lastingBytes: number;
}

interface Lifetime {
  bytes: number;
  /** First and last command that uses the array; null before any. */
  first: number | null;
  last: number;
}

/**
 * Runs `fn` and measures how much memory its commands need: a buffer is alive from the first to the
 * last command that uses it, no matter how long it is held. What is live before `fn` and after it
 * counts throughout. `captured` are the commands of a capture within `fn`.
 */
export async function measureMemory(
  runtime: Runtime,
  fn: () => void,
): Promise<{ memory: StepMemory; captured: readonly Command[] }> {
  const { ledger, recorder } = runtime;
  const { liveBytes, pooledBytes } = ledger;
  const log = new LifetimeLog(ledger.exactBytes, liveBytes);
  let captured: readonly Command[] = [];
  ledger.watcher = log;
  recorder.watcher = (command) => log.recorded(command);
  runtime.captureWatcher = (commands) => (captured = commands);
  try {
    fn();
  } finally {
    ledger.watcher = null;
    recorder.watcher = null;
    runtime.captureWatcher = null;
  }
  // A capture releases what its replays do not need once its commands are submitted.
  await recorder.flushed();
  const madeBytes = ledger.liveBytes + ledger.pooledBytes - liveBytes - pooledBytes;
  const memory = {
    peakBytes: log.peakBytes,
    heldBytes: liveBytes + Math.max(0, madeBytes),
    boundBytes: log.lastingBytes + largestSum(log.lifetimes),
    lastingBytes: log.lastingBytes,
  };
  return { memory, captured };
}

class LifetimeLog implements MemoryWatcher {
  readonly lifetimes: Lifetime[] = [];
  private readonly current = new Map<Storage, Lifetime>();
  private clock = 0;

  constructor(
    public lastingBytes: number,
    public peakBytes: number,
  ) {}

  taken(storage: Storage, liveBytes: number): void {
    const lifetime = { bytes: storage.byteLength, first: null, last: 0 };
    this.lifetimes.push(lifetime);
    this.current.set(storage, lifetime);
    this.peakBytes = Math.max(this.peakBytes, liveBytes);
  }

  returned(storage: Storage): void {
    // It was there before, and does not stay.
    if (!this.current.has(storage)) this.lastingBytes -= storage.byteLength;
  }

  recorded(command: Command): void {
    const now = this.clock++;
    for (const storage of storagesOf(command)) {
      const lifetime = this.current.get(storage);
      if (!lifetime) continue;
      lifetime.first ??= now;
      lifetime.last = now;
    }
  }
}

/** The most bytes alive at once; arrays that no command uses are never alive. */
export function largestSum(lifetimes: readonly Lifetime[]): number {
  const changes = new Map<number, number>();
  const change = (at: number, bytes: number): void => {
    changes.set(at, (changes.get(at) ?? 0) + bytes);
  };
  for (const { bytes, first, last } of lifetimes) {
    if (first === null) continue;
    change(first, bytes);
    change(last + 1, -bytes);
  }
  let sum = 0;
  let most = 0;
  for (const at of [...changes.keys()].sort((a, b) => a - b)) {
    sum += changes.get(at)!;
    most = Math.max(most, sum);
  }
  return most;
}
