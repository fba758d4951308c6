import type { DispatchCommand, TimestampSlots } from './dispatch.js';

/** What one dispatch took on the GPU. */
export interface DispatchTiming {
  op: string;
  shader: string;
  groups: readonly [number, number, number];
  ms: number;
  flops: number;
  bytes: number;
  /** The text of the shader as it was compiled. */
  code: string;
}

const MAX_DISPATCHES = 1024;

/**
 * Times dispatches by timestamp queries: while one is attached to the recorder each dispatch gets
 * a pass of its own and two slots of a query set. `watch` sees the timings of each submission, in
 * order, as soon as they are known. A timestamp counts nanoseconds.
 */
export class Profiler {
  readonly maxDispatches = MAX_DISPATCHES;
  private readonly querySet: GPUQuerySet;
  private readonly resolved: GPUBuffer;
  private running: readonly DispatchCommand[] = [];
  private tail: Promise<void> = Promise.resolve();

  constructor(
    private readonly device: GPUDevice,
    private readonly watch: (timings: readonly DispatchTiming[]) => void,
  ) {
    this.querySet = device.createQuerySet({ type: 'timestamp', count: 2 * MAX_DISPATCHES });
    // QUERY_RESOLVE | COPY_SRC
    this.resolved = device.createBuffer({ size: 16 * MAX_DISPATCHES, usage: 0x200 | 0x04 });
  }

  readonly slots = (index: number): TimestampSlots => ({
    querySet: this.querySet,
    beginningOfPassWriteIndex: 2 * index,
    endOfPassWriteIndex: 2 * index + 1,
  });

  begin(_encoder: GPUCommandEncoder, commands: readonly DispatchCommand[]): void {
    this.running = commands;
  }

  /** Encodes the resolve; the function it returns starts the read-back, after the submit. */
  end(encoder: GPUCommandEncoder): () => void {
    const commands = this.running;
    const sizeBytes = 16 * commands.length;
    // MAP_READ | COPY_DST
    const staging = this.device.createBuffer({ size: sizeBytes, usage: 0x01 | 0x08 });
    encoder.resolveQuerySet(this.querySet, 0, 2 * commands.length, this.resolved, 0);
    encoder.copyBufferToBuffer(this.resolved, 0, staging, 0, sizeBytes);
    return () => {
      const mapped = staging.mapAsync(1);
      this.tail = Promise.all([mapped, this.tail]).then(
        () => {
          const stamps = new BigUint64Array(staging.getMappedRange().slice(0));
          staging.destroy();
          this.watch(commands.map((command, i) => timingOf(command, stamps, i)));
        },
        // The device went away; whoever waits for its work hears of it there.
        () => undefined,
      );
    };
  }

  /** Resolves when all timings so far have been shown. */
  settled(): Promise<void> {
    return this.tail;
  }

  destroy(): void {
    this.querySet.destroy();
    this.resolved.destroy();
  }
}

function timingOf(command: DispatchCommand, stamps: BigUint64Array, i: number): DispatchTiming {
  const { request, groups, pipeline } = command;
  return {
    op: request.op,
    shader: request.shader,
    groups,
    ms: Number(stamps[2 * i + 1] - stamps[2 * i]) / 1e6,
    flops: request.flops ?? 0,
    bytes: request.bytes ?? 0,
    code: pipeline.shader.code,
  };
}
