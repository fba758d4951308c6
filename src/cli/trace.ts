import { writeTrace } from '../bench/profile_trace.js';
import { UsageError } from '../errors.js';
import type { DispatchTiming } from '../gpu/profiler.js';

/**
 * What TRACE asks for: 1, a line for each dispatch; 2, the text of each shader as well.
 *
 * Errors: UsageError for any other value.
 */
export function traceLevel(value: string | undefined): 0 | 1 | 2 {
  if (value === undefined || value === '' || value === '0') return 0;
  if (value === '1' || value === '2') return Number(value) as 1 | 2;
  throw new UsageError(`TRACE must be 0, 1 or 2, got "${value}"`);
}

/** Turns timings into lines; with `showsCode` a shader's text precedes its first dispatch. */
export function traceLines(showsCode: boolean): (timings: readonly DispatchTiming[]) => string {
  const shown = new Set<string>();
  return (timings) => {
    const lines: string[] = [];
    for (const timing of timings) {
      if (showsCode && !shown.has(timing.code)) {
        shown.add(timing.code);
        lines.push(`// shaders/${timing.shader}.wgsl`, timing.code.trimEnd());
      }
      lines.push(lineOf(timing));
    }
    return lines.join('\n');
  };
}

/** A trace of a whole command, which would otherwise grow for as long as it trains. */
const MOST_EVENTS = 200_000;

/** Collects timings for a Chrome trace, the first ones where there are very many. */
export class TraceFile {
  private readonly timings: DispatchTiming[] = [];
  private dropped = 0;

  constructor(
    private readonly path: string,
    private readonly most = MOST_EVENTS,
  ) {}

  add(timings: readonly DispatchTiming[]): void {
    const free = this.most - this.timings.length;
    // One by one: as arguments of one call they might be too many.
    for (const timing of timings.slice(0, free)) this.timings.push(timing);
    this.dropped += Math.max(0, timings.length - free);
  }

  /** Writes the file; returns what the user must know: why it is not there, or not whole. */
  write(adapter: string): string | null {
    try {
      writeTrace(this.path, this.timings, adapter);
    } catch (cause) {
      return `tilegrad: TRACE_FILE: ${cause instanceof Error ? cause.message : String(cause)}`;
    }
    if (this.dropped === 0) return null;
    return `${this.path} holds the first ${this.most} dispatches; ${this.dropped} more ran`;
  }
}

function lineOf({ op, shader, groups, ms, flops, bytes }: DispatchTiming): string {
  const rate = (amount: number, unit: string): string =>
    amount > 0 && ms > 0 ? `${(amount / ms / 1e6).toPrecision(3)} ${unit}` : `– ${unit}`;
  return [
    op.padEnd(28),
    shader.padEnd(32),
    groups.join('×').padEnd(14),
    `${ms.toFixed(4)} ms`.padStart(12),
    rate(flops, 'GFLOP/s').padStart(15),
    rate(bytes, 'GB/s').padStart(12),
  ].join(' ');
}
