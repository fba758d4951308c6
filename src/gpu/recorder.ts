import { DeviceError } from '../errors.js';
import type { GpuArray } from './array.js';
import { callSite } from './call_site.js';
import {
  batchOf,
  storagesOf,
  type CommandBatch,
  type Command,
  type CopyCommand,
  type Recorded,
  type ReplayedBatch,
  type WriteCommand,
} from './commands.js';
import { encodeDispatches, type DispatchCommand } from './dispatch.js';
import type { Profiler } from './profiler.js';

/** Dispatches that are recorded before an automatic submit. */
const FLUSH_AT = 256;

/**
 * Collects commands and submits them in order, many at a time: one command encoder, and one
 * compute pass as far as copies and writes allow. A batch whose pipelines are still compiling
 * waits for them, and every later batch waits behind it.
 */
export class Recorder {
  profiler: Profiler | null = null;
  /** Sees every command once, when it is recorded, for memory reports. */
  watcher: ((command: Command) => void) | null = null;
  /** Why the current capture cannot be replayed; null if it can. */
  refusal: DeviceError | null = null;
  private pending: Command[] = [];
  private captured: Recorded[] | null = null;
  private tail: Promise<void> | null = null;
  private serial = 0;
  private submittedSerial = 0;
  private failure: Error | null = null;

  constructor(private readonly device: GPUDevice) {}

  get isCapturing(): boolean {
    return this.captured !== null;
  }

  /** Remembers the first failure; every later flush, read or sync throws it. */
  fail(error: Error): void {
    this.failure ??= error;
  }

  throwIfFailed(): void {
    if (this.failure) throw this.failure;
  }

  record(command: Command): void {
    this.throwIfFailed();
    this.captured?.push(recorded(command));
    this.watcher?.(command);
    this.enqueueCommand(command);
  }

  /**
   * Host data into a buffer, in order with the recorded commands. If no recorded command uses the
   * buffer, the data goes to the queue at once and no pass is split.
   */
  write({ storage, byteOffset }: GpuArray, data: WriteCommand['data'], isHoistable = false): void {
    this.throwIfFailed();
    const command: WriteCommand = { kind: 'write', storage, byteOffset, data, isHoistable };
    this.watcher?.(command);
    if (storage.lastUse > this.submittedSerial) {
      // Takes the data now, since the caller may change it before the batch runs. A capture keeps the
      // producer and calls it again at each replay.
      this.enqueueCommand(withDataOfNow(command));
    } else this.runWrite(command);
    this.captured?.push(recorded(command));
  }

  /** Submits what is recorded, at once or as soon as its pipelines are compiled. */
  flush(): void {
    const batch = this.pending;
    if (batch.length === 0) return;
    this.pending = [];
    this.enqueue(batchOf(batch), this.serial);
  }

  /** Submits, and waits until everything recorded so far is in the GPU's queue. */
  async flushed(): Promise<void> {
    this.flush();
    while (this.tail) await this.tail;
    this.throwIfFailed();
  }

  /** Runs `fn` once everything recorded is submitted: now, or when its pipelines are compiled. */
  afterSubmits(fn: () => void): void {
    this.flush();
    if (this.tail) this.follow(this.tail.then(fn));
    else fn();
  }

  beginCapture(): void {
    if (this.captured) throw new DeviceError('capture: a capture is running already');
    this.captured = [];
    this.refusal = null;
  }

  endCapture(): Recorded[] {
    const commands = this.captured ?? [];
    this.captured = null;
    return commands;
  }

  /**
   * Throws for a read during a capture: replays do not run the function's code, so whatever it computed
   * from the value would never change.
   */
  refuseRead(what: string): void {
    if (!this.captured) return;
    const place = callSite();
    const error = new DeviceError(
      `capture: ${what} reads a value back inside the captured function${place ? `, at ${place}` : ''}`,
      'return the tensor from the function, and read it after the call',
    );
    this.refusal ??= error;
    throw error;
  }

  pauseCapture<T>(fn: () => T): T {
    const captured = this.captured;
    this.captured = null;
    try {
      return fn();
    } finally {
      this.captured = captured;
    }
  }

  /** Runs captured commands again, after all that is recorded. */
  replay(batch: ReplayedBatch): void {
    this.throwIfFailed();
    this.flush();
    const serial = ++this.serial;
    for (const storage of batch.storages) storage.lastUse = serial;
    // Behind a batch that is still compiling, call the producers now: what they read may change.
    this.enqueue(this.tail ? batchOf(batch.commands.map(withDataOfNow)) : batch, serial);
  }

  private enqueueCommand(command: Command): void {
    this.touch(command);
    this.pending.push(command);
    if (this.pending.length >= FLUSH_AT) this.flush();
  }

  private touch(command: Command): void {
    const serial = ++this.serial;
    for (const storage of storagesOf(command)) storage.lastUse = serial;
  }

  private enqueue(batch: CommandBatch, serial: number): void {
    const waits: Promise<void>[] = [];
    for (const command of batch.commands) {
      if (command.kind === 'dispatch' && !command.pipeline.compiled) {
        waits.push(command.pipeline.ready);
      }
    }
    if (!this.tail && waits.length === 0) {
      this.submit(batch, serial);
      return;
    }
    this.follow(
      (this.tail ?? Promise.resolve())
        .then(() => Promise.all(waits))
        .then(() => this.submit(batch, serial)),
    );
  }

  /** Makes later batches wait for `work`, and remembers its failure. */
  private follow(work: Promise<void>): void {
    const tail: Promise<void> = work
      .catch((error: unknown) => this.fail(error as Error))
      .then(() => {
        if (this.tail === tail) this.tail = null;
      });
    this.tail = tail;
  }

  private submit(batch: CommandBatch, serial: number): void {
    if (this.failure) return;
    for (const command of batch.early) this.runWrite(command);
    let encoder: GPUCommandEncoder | null = null;
    const finish = (): void => {
      if (encoder) this.device.queue.submit([encoder.finish()]);
      encoder = null;
    };
    for (const step of batch.steps) {
      if ('kind' in step && step.kind === 'write') {
        finish();
        this.runWrite(step);
      } else if ('kind' in step) {
        encoder ??= this.device.createCommandEncoder();
        encodeCopy(encoder, step);
        this.profiler?.copied(step.sizeBytes);
      } else if (this.profiler) {
        // Timestamps are resolved for each run.
        finish();
        this.submitTimed(step, this.profiler);
      } else {
        encoder ??= this.device.createCommandEncoder();
        encodeDispatches(encoder, step);
      }
    }
    finish();
    this.submittedSerial = serial;
  }

  /** Submits as many dispatches at a time as the query set can time. */
  private submitTimed(dispatches: readonly DispatchCommand[], profiler: Profiler): void {
    const most = profiler.maxDispatches;
    for (let from = 0; from < dispatches.length; from += most) {
      const run = dispatches.slice(from, from + most);
      const encoder = this.device.createCommandEncoder();
      profiler.begin(run);
      encodeDispatches(encoder, run, profiler.slots);
      const resolve = profiler.end(encoder);
      this.device.queue.submit([encoder.finish()]);
      resolve();
    }
  }

  private runWrite(command: WriteCommand): void {
    // A view or a whole buffer: the queue takes either.
    const data = command.data() as ArrayBuffer;
    this.device.queue.writeBuffer(command.storage.buffer, command.byteOffset, data);
  }
}

function recorded(command: Command): Recorded {
  return { command, loans: storagesOf(command).map(({ loan }) => loan) };
}

function encodeCopy(encoder: GPUCommandEncoder, command: CopyCommand): void {
  const { source, sourceOffset, target, targetOffset, sizeBytes } = command;
  const buffer = 'lastUse' in target ? target.buffer : target;
  encoder.copyBufferToBuffer(source.buffer, sourceOffset, buffer, targetOffset, sizeBytes);
}

function withDataOfNow(command: Command): Command {
  if (command.kind !== 'write') return command;
  const data = command.data();
  const copy = ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice()
    : data.slice(0);
  return { ...command, data: () => copy };
}
