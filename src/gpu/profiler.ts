import type { DispatchCommand, TimestampSlots } from './dispatch.js';

/** What one dispatch took on the GPU. */
export interface DispatchTiming {
  op: string;
  shader: string;
  groups: readonly [number, number, number];
  ms: number;
  flops: number;
  bytes: number;
}

const MAX_DISPATCHES = 1024;

/**
 * Times dispatches by timestamp queries: while one is attached to the recorder each dispatch gets
 * a pass of its own and two slots of a query set. A timestamp counts nanoseconds.
 */
export class Profiler {
  readonly maxDispatches = MAX_DISPATCHES;
  private readonly querySet: GPUQuerySet;
  private readonly resolved: GPUBuffer;
  private running: readonly DispatchCommand[] = [];
  private readonly reads: Promise<DispatchTiming[]>[] = [];

  constructor(private readonly device: GPUDevice) {
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
      this.reads.push(
        staging.mapAsync(1).then(() => {
          const stamps = new BigUint64Array(staging.getMappedRange().slice(0));
          staging.destroy();
          return commands.map((command, i) => ({
            op: command.request.op,
            shader: command.request.shader,
            groups: command.groups,
            ms: Number(stamps[2 * i + 1]! - stamps[2 * i]!) / 1e6,
            flops: command.request.flops ?? 0,
            bytes: command.request.bytes ?? 0,
          }));
        }),
      );
    };
  }

  /** All timings so far, in order. */
  async collect(): Promise<DispatchTiming[]> {
    const timings = (await Promise.all(this.reads)).flat();
    this.reads.length = 0;
    return timings;
  }

  destroy(): void {
    this.querySet.destroy();
    this.resolved.destroy();
  }
}
