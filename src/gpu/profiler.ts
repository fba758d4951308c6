import type { DType } from './array.js';
import type { DispatchCommand, DispatchMark, TimestampSlots } from './dispatch.js';

/** What one dispatch took on the GPU. */
export interface DispatchTiming {
  op: string;
  shader: string;
  groups: readonly [number, number, number];
  /** Start time by the GPU's clock, whose origin is arbitrary. */
  startMs: number;
  ms: number;
  flops: number;
  bytes: number;
  mark: DispatchMark | null;
  /** Whether it is the first of its submission. */
  isFirst: boolean;
  /** Bytes copied between the previous dispatch and this one. */
  copiedBytes: number;
  /** By binding name; the contents may have been overwritten. */
  bindings: Readonly<Record<string, { readonly shape: readonly number[]; readonly dtype: DType }>>;
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
  private copiedBytes = 0;
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

  /** Counts a copy, which no timestamp query can time. */
  copied(sizeBytes: number): void {
    this.copiedBytes += sizeBytes;
  }

  begin(commands: readonly DispatchCommand[]): void {
    this.running = commands;
  }

  /** Encodes the resolve; the returned function starts the read-back and is called after the submit. */
  end(encoder: GPUCommandEncoder): () => void {
    const commands = this.running;
    const { copiedBytes } = this;
    this.copiedBytes = 0;
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
          this.watch(commands.map((command, i) => timingOf(command, stamps, i, copiedBytes)));
        },
        // The device was lost; whoever waits for its work gets the error.
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

/** `copiedBytes` went before the first dispatch of the submission. */
function timingOf(
  command: DispatchCommand,
  stamps: BigUint64Array,
  i: number,
  copiedBytes: number,
): DispatchTiming {
  const { request, groups, pipeline, mark } = command;
  return {
    op: request.op,
    shader: request.shader,
    groups,
    startMs: Number(stamps[2 * i]) / 1e6,
    ms: Number(stamps[2 * i + 1] - stamps[2 * i]) / 1e6,
    flops: request.flops ?? 0,
    bytes: request.bytes ?? 0,
    mark,
    isFirst: i === 0,
    copiedBytes: i === 0 ? copiedBytes : 0,
    bindings: request.bindings,
    code: pipeline.shader.code,
  };
}
