import { collectGarbage } from '#platform';
import type { DeviceError } from '../errors.js';
import type { BindGroupCache } from './bind_group_cache.js';
import { BufferPool, MemoryLedger, type Purpose, type Storage } from './buffer_pool.js';

/**
 * Garbage collection is requested once this many bytes or buffers, or a quarter of the live ones, may be waiting
 * for it.
 */
const LOOSE_BYTES = 64 * 2 ** 20;
const LOOSE_BUFFERS = 512;
const LOOSE_BIND_GROUPS = 4096;

/** The pools of one device: arrays come from one of them at a time, and all share one ledger. */
export class Pools {
  readonly ledger = new MemoryLedger();
  private readonly main: BufferPool;
  /** Only for `writeDynamic`: a write that runs before its batch cannot disturb other uses. */
  private readonly dynamic: BufferPool;
  private current: BufferPool;
  private looseBytes = 0;
  private looseBuffers = 0;

  constructor(
    private readonly device: GPUDevice,
    private readonly bindGroups: BindGroupCache,
    private readonly fail: (error: DeviceError) => void,
  ) {
    this.main = this.create();
    this.dynamic = this.create();
    this.current = this.main;
  }

  /** Another pool that shares the ledger, for a capture. */
  create(): BufferPool {
    return new BufferPool(this.device, this.ledger, this.fail, (storage) =>
      this.bindGroups.forget(storage),
    );
  }

  take(byteLength: number, purpose: Purpose): Storage {
    return this.current.take(byteLength, purpose);
  }

  /** Runs `fn` with allocations from `pool`. */
  within<T>(pool: BufferPool | 'main' | 'dynamic', fn: () => T): T {
    const before = this.current;
    this.current = typeof pool === 'string' ? this[pool] : pool;
    try {
      return fn();
    } finally {
      this.current = before;
    }
  }

  trim(): void {
    this.main.trim();
    this.dynamic.trim();
  }

  /** Counts bytes that only garbage collection will release. */
  countLoose(byteLength: number): void {
    this.looseBytes += byteLength;
    this.looseBuffers++;
  }

  /** Requests garbage collection in time to release tensors that were never disposed. */
  relieve(): void {
    const { liveBytes, liveBuffers } = this.ledger;
    if (
      this.looseBytes < Math.max(LOOSE_BYTES, liveBytes / 4) &&
      this.looseBuffers < Math.max(LOOSE_BUFFERS, liveBuffers / 4) &&
      this.bindGroups.dropped < LOOSE_BIND_GROUPS
    ) {
      return;
    }
    this.looseBytes = 0;
    this.looseBuffers = 0;
    this.bindGroups.dropped = 0;
    collectGarbage();
  }
}
