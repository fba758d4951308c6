import { patiently } from '#platform';
import { openGpuDevice, type DeviceInfo, type DeviceOptions } from './adapter.js';
import { arrayText, bytesPerElement, GpuArray, sizeOf, type DType } from './array.js';
import { BindGroupCache } from './bind_group_cache.js';
import { BufferPool, type MemoryLedger, type Storage } from './buffer_pool.js';
import { replayedBatchOf, type Command, type ReplayedBatch } from './commands.js';
import {
  prepareDispatch,
  reboundDispatch,
  type DispatchMark,
  type DispatchRequest,
} from './dispatch.js';
import { withoutCopies } from './elide_copies.js';
import { DeviceError, oneLine, ShapeError } from '../errors.js';
import { fusesByDefault } from './fusion.js';
import { matrixCallsOf } from './matrix_calls.js';
import { ParameterSlots } from './parameter_slots.js';
import { PipelineCache } from './pipeline.js';
import { Pools } from './pools.js';
import { Profiler, type DispatchTiming } from './profiler.js';
import { Recorder } from './recorder.js';
import { PhiloxStream } from './random_stream.js';
import { VariantChoices } from './variant_choices.js';
import { watchDevice } from './watch_device.js';

/** A captured step: its commands, and the buffers that belong to it. */
export interface CapturedCommands extends ReplayedBatch {
  pool: BufferPool;
  pinned: Storage[];
}

/**
 * One opened device with everything a kernel launcher needs: arrays from the pool, dispatches,
 * uploads and read-backs, all in order.
 */
export class Runtime {
  /** Sees the commands of each capture, for reports. */
  captureWatcher: ((commands: readonly Command[]) => void) | null = null;
  readonly pipelines: PipelineCache;
  readonly recorder: Recorder;
  readonly random: PhiloxStream;
  /** Kernels selected by the autotuner; launchers look here first. */
  readonly choices = new VariantChoices();
  /** Bound in place of an optional array that is absent; never read. */
  readonly placeholder: GpuArray;
  private readonly parameters: ParameterSlots;
  private readonly bindGroups: BindGroupCache;
  private readonly pools: Pools;
  private pinned: Storage[] = [];
  private readonly staging = new Map<number, GPUBuffer[]>();
  private isDestroyed = false;
  private mark: DispatchMark | null = null;
  private traceWatch: ((timings: readonly DispatchTiming[]) => void) | null = null;

  private constructor(
    readonly device: GPUDevice,
    readonly adapter: GPUAdapter,
    readonly info: DeviceInfo,
    seed: number,
    /** Whether ops are fused where possible. */
    readonly fusesOps: boolean,
    translate: (code: string) => string,
  ) {
    this.pipelines = new PipelineCache(device, translate);
    this.recorder = new Recorder(device);
    this.parameters = new ParameterSlots(device);
    this.bindGroups = new BindGroupCache(device);
    this.pools = new Pools(device, this.bindGroups, (error) => this.recorder.fail(error));
    this.random = new PhiloxStream(seed);
    this.placeholder = this.alloc([4], 'f32');
    watchDevice(device, info, (error) => {
      if (!this.isDestroyed) this.recorder.fail(error);
    });
  }

  get ledger(): MemoryLedger {
    return this.pools.ledger;
  }

  static async open(options: DeviceOptions = {}): Promise<Runtime> {
    const fusesOps = options.fusion ?? fusesByDefault();
    const { adapter, device, info } = await openGpuDevice(options);
    const translate = await matrixCallsOf(device);
    return new Runtime(device, adapter, info, options.seed ?? 0, fusesOps, translate);
  }

  /** An array of undefined contents from the pool; the caller owns one reference. */
  alloc(shape: readonly number[], dtype: DType = 'f32'): GpuArray {
    if (this.isDestroyed) throw new DeviceError('device: used after destroy()');
    const bytes = sizeOf(shape) * bytesPerElement[dtype];
    if (bytes > Number.MAX_SAFE_INTEGER && shape.every(Number.isSafeInteger)) {
      throw new ShapeError(
        `array: ${dtype} [${shape.join(', ')}] is larger than any adapter can hold`,
        'look for the size, padding or repetition that makes it so',
      );
    }
    if (!Number.isSafeInteger(bytes) || bytes <= 0) {
      throw new ShapeError(
        `array: expected positive whole numbers as shape, got ${dtype} [${shape.join(', ')}]`,
      );
    }
    // Whole words, since u8 and f16 arrays are bound as words and vectors.
    const byteLength = Math.ceil(bytes / 16) * 16;
    const storage = this.pools.take(byteLength, { shape, dtype, mark: this.mark });
    return new GpuArray(storage, shape, dtype);
  }

  /**
   * Like `alloc`, but from the main pool even inside a capture: for state that outlives the step,
   * such as the moments of an optimizer.
   */
  allocPersistent(shape: readonly number[], dtype: DType = 'f32'): GpuArray {
    return this.pools.within('main', () => this.alloc(shape, dtype));
  }

  /**
   * A small array for `writeDynamic`. Take a new one for every use and release it after: within
   * a capture it stays reserved for that one use.
   */
  allocDynamic(shape: readonly number[], dtype: DType = 'f32'): GpuArray {
    return this.pools.within('dynamic', () => this.alloc(shape, dtype));
  }

  /** Runs `fn` outside the current capture, if any: its commands run once, now. */
  uncaptured<T>(fn: () => T): T {
    return this.recorder.pauseCapture(fn);
  }

  dispatch(request: DispatchRequest): void {
    const command = prepareDispatch(
      this.pipelines,
      this.parameters,
      this.bindGroups,
      this.info.limits.maxComputeWorkgroupsPerDimension ?? 65535,
      request,
      this.mark,
    );
    this.recorder.record(command);
  }

  /** Runs `fn` and marks its dispatches with `mark` in profiles. */
  marked<T>(mark: DispatchMark, fn: () => T): T {
    const before = this.mark;
    this.mark = mark;
    try {
      return fn();
    } finally {
      this.mark = before;
    }
  }

  copy(source: GpuArray, target: GpuArray, options: CopyOptions = {}): void {
    const { sourceOffset = 0, targetOffset = 0 } = options;
    const sizeBytes = Math.ceil((options.sizeBytes ?? source.byteLength) / 4) * 4;
    if (source.storage === target.storage) {
      // WebGPU copies between different buffers only.
      const between = this.alloc([sizeBytes], 'u8');
      this.copy(source, between, { sourceOffset, sizeBytes });
      this.copy(between, target, { targetOffset, sizeBytes });
      between.release();
      return;
    }
    this.recorder.record({
      kind: 'copy',
      source: source.storage,
      sourceOffset: source.byteOffset + sourceOffset,
      target: target.storage,
      targetOffset: target.byteOffset + targetOffset,
      sizeBytes,
    });
  }

  /** Uploads host data, in order with what is recorded; `data` may be changed after the call. */
  write(target: GpuArray, data: ArrayBufferView): void {
    // Unless captured, it is in the queue's hands, or copied, by the time the recorder returns.
    const isWhole = data.byteLength % 4 === 0 && !this.recorder.isCapturing;
    const values = isWhole ? data : wholeWords(data);
    this.recorder.write(target, () => values);
  }

  /**
   * Fills an array of `allocDynamic` with the result of `produce`, which is called again for every
   * replay: this is how learning rates, step counts and random counters reach a captured step.
   */
  writeDynamic(target: GpuArray, produce: () => ArrayBufferView): void {
    const { isCapturing } = this.recorder;
    if (isCapturing) {
      target.storage.retain();
      this.pinned.push(target.storage);
    }
    // Outside a capture the buffer may serve two draws of one batch, so the write keeps its place.
    this.recorder.write(target, produce, isCapturing);
  }

  /** Contents of an array, as bytes. Everything recorded before the call runs first. */
  async read(source: GpuArray, options: { sizeBytes?: number } = {}): Promise<ArrayBuffer> {
    this.recorder.throwIfFailed();
    this.recorder.refuseRead(`a read of ${arrayText(source)}`);
    const wanted = options.sizeBytes ?? source.byteLength;
    const sizeBytes = Math.max(4, Math.ceil(wanted / 4) * 4);
    const sizeClass = BufferPool.sizeClass(sizeBytes);
    const buffer =
      this.staging.get(sizeClass)?.pop() ??
      this.device.createBuffer({ size: sizeClass, usage: 0x01 | 0x08 }); // MAP_READ | COPY_DST
    this.recorder.record({
      kind: 'copy',
      source: source.storage,
      sourceOffset: source.byteOffset,
      target: buffer,
      targetOffset: 0,
      sizeBytes,
    });
    await this.recorder.flushed();
    try {
      await this.wait(buffer.mapAsync(0x01, 0, sizeBytes));
    } catch (cause) {
      await Promise.resolve();
      this.recorder.throwIfFailed();
      if (this.isDestroyed) {
        throw new DeviceError(
          'device: destroyed while a value was being read',
          'await data(), item() and array() before destroy()',
        );
      }
      throw new DeviceError(`device: a read-back failed: ${String(cause)}`);
    }
    const bytes = buffer.getMappedRange(0, sizeBytes).slice(0, wanted);
    buffer.unmap();
    const shelf = this.staging.get(sizeClass);
    if (shelf) shelf.push(buffer);
    else this.staging.set(sizeClass, [buffer]);
    await this.recorder.profiler?.settled();
    this.recorder.throwIfFailed();
    this.pools.relieve();
    return bytes;
  }

  flush(): void {
    this.recorder.flush();
  }

  /** Waits until everything recorded has run. Throws what went wrong meanwhile. */
  async sync(): Promise<void> {
    await this.recorder.flushed();
    await this.submittedDone();
    await this.recorder.profiler?.settled();
    this.recorder.throwIfFailed();
    this.pools.relieve();
  }

  /**
   * Resolves when the GPU has finished everything submitted before the call. It never rejects, since
   * several may be pending; the next call throws any error.
   */
  async submittedDone(): Promise<void> {
    try {
      await this.wait(this.device.queue.onSubmittedWorkDone());
    } catch (cause) {
      // A lost device reports the reason through another promise.
      await Promise.resolve();
      const why = oneLine(cause instanceof Error ? cause.message : String(cause));
      if (!this.isDestroyed) this.recorder.fail(new DeviceError(`device: work failed: ${why}`));
    }
  }

  /** Runs `fn` with every dispatch timed. Needs the timestamp-query feature. */
  async profile(fn: () => void | Promise<void>): Promise<DispatchTiming[]> {
    await this.recorder.flushed();
    const before = this.recorder.profiler;
    const timings: DispatchTiming[] = [];
    const profiler = new Profiler(this.device, (found) => {
      timings.push(...found);
      this.traceWatch?.(found);
    });
    this.recorder.profiler = profiler;
    try {
      await fn();
      await this.sync();
      return timings;
    } finally {
      this.recorder.profiler = before;
      profiler.destroy();
    }
  }

  /**
   * Times every dispatch from now on and shows them to `watch`, submission by submission, as their
   * timestamps arrive.
   *
   * Errors: DeviceError on an adapter without timestamp-query.
   */
  trace(watch: (timings: readonly DispatchTiming[]) => void): void {
    if (!this.hasTimestamps) {
      throw new DeviceError(
        `trace: ${this.info.description} has no timestamp queries`,
        'unset TRACE, or choose another adapter',
      );
    }
    this.traceWatch = watch;
    this.recorder.profiler = new Profiler(this.device, watch);
  }

  get hasTimestamps(): boolean {
    return this.device.features.has('timestamp-query');
  }

  /**
   * Runs `fn` once and keeps what it recorded, less the copies that replays can do without; its
   * buffers come from a pool of their own. `recorded` is everything.
   */
  captureCommands<T>(fn: () => T): {
    result: T;
    captured: CapturedCommands;
    recorded: readonly Command[];
  } {
    this.recorder.flush();
    const pool = this.pools.create();
    const pinned: Storage[] = [];
    this.pinned = pinned;
    this.recorder.beginCapture();
    try {
      const result = this.pools.within(pool, fn);
      const recorded = this.recorder.endCapture();
      const commands = withoutCopies(recorded, pool, (command, bindings) =>
        reboundDispatch(this.bindGroups, command, bindings),
      );
      const batch = replayedBatchOf(commands);
      this.recorder.afterSubmits(() => pool.trim(new Set(batch.storages)));
      this.captureWatcher?.(commands);
      return {
        ...{ result, captured: { ...batch, pool, pinned } },
        recorded: recorded.map(({ command }) => command),
      };
    } catch (error) {
      this.recorder.endCapture();
      this.disposeCapture({ pool, pinned });
      throw error;
    } finally {
      this.pinned = [];
    }
  }

  replay(captured: CapturedCommands): void {
    if (this.isDestroyed) throw new DeviceError('device: used after destroy()');
    this.recorder.replay(captured);
  }

  disposeCapture(captured: Pick<CapturedCommands, 'pool' | 'pinned'>): void {
    this.recorder.afterSubmits(() => {
      captured.pool.close();
      for (const storage of captured.pinned) storage.release();
    });
  }

  /** Counts bytes that only the collector will give back, and asks for it when they grow. */
  countLoose(byteLength: number): void {
    this.pools.countLoose(byteLength);
  }

  /** Destroys pooled buffers that wait for reuse. */
  async trim(): Promise<void> {
    await this.sync();
    this.pools.trim();
  }

  destroy(): void {
    if (this.isDestroyed) return;
    this.isDestroyed = true;
    for (const shelf of this.staging.values()) for (const buffer of shelf) buffer.destroy();
    this.device.destroy();
  }

  /** Waits for the GPU; on a software adapter in a way that leaves it the processor. */
  private wait<T>(promise: Promise<T>): Promise<T> {
    return this.info.isSoftware ? patiently(promise) : promise;
  }
}

interface CopyOptions {
  sourceOffset?: number;
  targetOffset?: number;
  sizeBytes?: number;
}

/** A copy, filled up with zeros to a multiple of four bytes. */
function wholeWords({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  const copy = new Uint8Array(Math.ceil(byteLength / 4) * 4);
  copy.set(new Uint8Array(buffer, byteOffset, byteLength));
  return copy;
}
