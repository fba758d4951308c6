import { DeviceError, LimitError, oneLine } from '../errors.js';
import { arrayText, type DType } from './array.js';
import type { DispatchMark } from './dispatch.js';

/** What `device.memory` shows. Live: held by some array; pooled: allocated, waiting for reuse. */
interface MemoryCounters {
  liveBuffers: number;
  liveBytes: number;
  peakBytes: number;
  pooledBytes: number;
}

const BUFFER_USAGE = 0x80 | 0x04 | 0x08; // STORAGE | COPY_SRC | COPY_DST

/**
 * Drivers map each buffer separately, and Linux allows a process 65,530 maps; beyond that they crash
 * instead of failing. Networks of hundreds of layers need a few thousand buffers.
 */
const MOST_LIVE_BUFFERS = 16_384;

/** What a buffer is for, named in the error when allocation fails. */
export interface Purpose {
  shape: readonly number[];
  dtype: DType;
  /** Null outside the tape. */
  mark: DispatchMark | null;
}

let nextStorageId = 1;

/** One GPU buffer with a reference count; it returns to its pool when the count reaches zero. */
export class Storage {
  readonly id = nextStorageId++;
  /** Serial of the last recorded command that touches this buffer (see recorder.ts). */
  lastUse = 0;
  /** Bytes that its current holder asked for; `sizeBytes` is that rounded up. */
  byteLength = 0;
  /** Counts how often the pool has handed it out: another number means another holder. */
  loan = 1;
  private references = 1;

  constructor(
    readonly buffer: GPUBuffer,
    readonly sizeBytes: number,
    private home: BufferPool,
  ) {}

  get isReleased(): boolean {
    return this.references === 0;
  }

  /** True if several arrays share it, so that writing in place would affect the others. */
  get isShared(): boolean {
    return this.references > 1;
  }

  isOf(pool: BufferPool): boolean {
    return this.home === pool;
  }

  retain(): void {
    if (this.references === 0) throw new DeviceError('storage: retained after its release');
    this.references++;
  }

  release(): void {
    if (this.references === 0) throw new DeviceError('storage: released twice');
    if (--this.references === 0) this.home.takeBack(this);
  }

  /** Used by the pool alone, when it hands the buffer out again. */
  revive(): void {
    this.references = 1;
    this.loan++;
  }
}

/** Sees buffers come and go, for memory reports. */
export interface MemoryWatcher {
  taken(storage: Storage, liveBytes: number): void;
  returned(storage: Storage): void;
}

/** Shared by a device and its captures, so that the counters describe the whole device. */
export class MemoryLedger implements MemoryCounters {
  liveBuffers = 0;
  liveBytes = 0;
  peakBytes = 0;
  pooledBytes = 0;
  /** liveBytes without rounding. */
  exactBytes = 0;
  watcher: MemoryWatcher | null = null;

  lend(storage: Storage, fromPool: boolean): void {
    this.liveBuffers++;
    this.liveBytes += storage.sizeBytes;
    this.exactBytes += storage.byteLength;
    if (fromPool) this.pooledBytes -= storage.sizeBytes;
    this.peakBytes = Math.max(this.peakBytes, this.liveBytes);
    this.watcher?.taken(storage, this.liveBytes);
  }

  return(storage: Storage, toPool: boolean): void {
    this.liveBuffers--;
    this.liveBytes -= storage.sizeBytes;
    this.exactBytes -= storage.byteLength;
    if (toPool) this.pooledBytes += storage.sizeBytes;
    this.watcher?.returned(storage);
  }
}

/**
 * Buffers by size class. A training step asks for the same sizes again and again, so after the
 * first step nothing is allocated. A released buffer may be handed out at once, even while
 * recorded commands still name it: commands run in the order they were recorded.
 */
export class BufferPool {
  private readonly free = new Map<number, Storage[]>();
  private isClosed = false;

  constructor(
    private readonly device: GPUDevice,
    private readonly ledger: MemoryLedger,
    private readonly onError: (error: DeviceError) => void,
    private readonly onDestroy: (storage: Storage) => void,
  ) {}

  /** Sizes are rounded up to eighths of a power of two, so that nearby sizes share buffers. */
  static sizeClass(byteLength: number): number {
    const wanted = Math.max(256, byteLength);
    const step = Math.max(256, 2 ** (Math.floor(Math.log2(wanted)) - 3));
    return Math.ceil(wanted / step) * step;
  }

  take(byteLength: number, purpose: Purpose): Storage {
    const { maxStorageBufferBindingSize, maxBufferSize } = this.device.limits;
    const limit = Math.min(maxStorageBufferBindingSize, maxBufferSize);
    if (byteLength > limit) {
      throw new LimitError(
        `buffer: ${purposeText(purpose)} takes ${mebibytes(byteLength)}, more than this adapter ` +
          `can bind at once, ${mebibytes(limit)}`,
        limit < maxStorageBufferBindingSize ? 'maxBufferSize' : 'maxStorageBufferBindingSize',
        byteLength,
        limit,
        {
          program: 'lower the batch size or the image size; recomputing makes no array smaller',
          commandLine: 'lower --batch-size or --input; --recompute makes no array smaller',
        },
      );
    }
    const sizeBytes = Math.min(BufferPool.sizeClass(byteLength), limit - (limit % 4));
    const waiting = this.free.get(sizeBytes)?.pop();
    if (waiting) {
      waiting.revive();
      waiting.byteLength = byteLength;
      this.ledger.lend(waiting, true);
      return waiting;
    }
    if (this.ledger.liveBuffers >= MOST_LIVE_BUFFERS) {
      throw new DeviceError(
        `device: ${this.ledger.liveBuffers} buffers are live, more than drivers can map`,
        'await something in the loop (loss.item(), device.sync()) so that dropped tensors can be ' +
          'collected, or run each step in device.scope',
      );
    }
    const storage = new Storage(this.create(sizeBytes, purpose), sizeBytes, this);
    storage.byteLength = byteLength;
    this.ledger.lend(storage, false);
    return storage;
  }

  takeBack(storage: Storage): void {
    this.ledger.return(storage, !this.isClosed);
    if (this.isClosed) {
      this.onDestroy(storage);
      storage.buffer.destroy();
      return;
    }
    const shelf = this.free.get(storage.sizeBytes);
    if (shelf) shelf.push(storage);
    else this.free.set(storage.sizeBytes, [storage]);
  }

  /**
   * Destroys the pooled buffers that are not in `kept`; live buffers stay. Call it when no recorded
   * command uses them.
   */
  trim(kept: ReadonlySet<Storage> = new Set()): void {
    for (const [sizeBytes, shelf] of this.free) {
      for (const storage of shelf) {
        if (kept.has(storage)) continue;
        this.ledger.pooledBytes -= storage.sizeBytes;
        this.onDestroy(storage);
        storage.buffer.destroy();
      }
      this.free.set(
        sizeBytes,
        shelf.filter((storage) => kept.has(storage)),
      );
    }
  }

  /** Trims; every buffer that is still live will be destroyed when released. */
  close(): void {
    this.trim();
    this.isClosed = true;
  }

  private create(sizeBytes: number, purpose: Purpose): GPUBuffer {
    const { liveBytes, pooledBytes } = this.ledger;
    this.device.pushErrorScope('out-of-memory');
    const buffer = this.device.createBuffer({ size: sizeBytes, usage: BUFFER_USAGE });
    void this.device.popErrorScope().then((error) => {
      if (!error) return;
      this.onError(
        new DeviceError(
          `device: out of memory for ${purposeText(purpose)}, a buffer of ${mebibytes(sizeBytes)}, ` +
            `with ${mebibytes(liveBytes)} live and ${mebibytes(pooledBytes)} that wait for reuse: ` +
            oneLine(error.message),
          {
            program:
              'lower the batch size or the image size, or keep fewer activations by recomputing',
            commandLine:
              'lower --batch-size or --input, or keep fewer activations with --recompute',
          },
        ),
      );
    }, ignoreLostDevice);
    return buffer;
  }
}

/** `f32 [64, 28, 28, 32] of conv2d forward in conv1`. */
function purposeText({ shape, dtype, mark }: Purpose): string {
  const array = arrayText({ shape, dtype });
  if (!mark) return array;
  const { op, phase, module } = mark;
  const name = op === undefined ? phase : `${op} ${phase}`;
  return `${array} of ${name}${module === null ? '' : ` in module ${module}`}`;
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

/** Scopes of a lost device reject; the loss itself is reported by the device. */
function ignoreLostDevice(): void {}
