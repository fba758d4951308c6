import type { DispatchTiming } from '../gpu/profiler.js';
import { writeFileAtomically } from '../io/atomic_file.js';

/*
 * Timed dispatches as a file for chrome://tracing and Perfetto: the array form of the "Trace Event
 * Format" with complete events, times in microseconds.
 */

/** An event that has a beginning and a length, or (M) the name of a process or track. */
export interface TraceEvent {
  name: string;
  ph: 'X' | 'M';
  pid: number;
  tid: number;
  ts?: number;
  dur?: number;
  cat?: string;
  args: Record<string, unknown>;
}

const PROCESS = 1;
const MODULE_TRACK = 0;
/** Of the first track of kernels; those that overlap others go to tracks below. */
const KERNEL_TRACK = 1;

/**
 * Kernels on one track, and on another the modules they run for. Where kernels overlap, as
 * independent ones may on a GPU, each goes to the first track that is free.
 */
export function traceEvents(timings: readonly DispatchTiming[], adapter: string): TraceEvent[] {
  const ordered = [...timings].sort((a, b) => a.startMs - b.startMs);
  const zero = ordered.at(0)?.startMs ?? 0;
  /** Whole nanoseconds, so that neighbours meet exactly. */
  const microseconds = (ms: number): number => Math.round(1e6 * ms) / 1e3;
  const spanOf = ({ startMs, ms }: DispatchTiming): [number, number] => [
    microseconds(startMs - zero),
    microseconds(startMs - zero + ms),
  ];
  const ends: number[] = [];
  const events = ordered.map((timing): TraceEvent => {
    const [start, end] = spanOf(timing);
    let lane = ends.findIndex((free) => free <= start);
    if (lane < 0) lane = ends.length;
    ends[lane] = end;
    return {
      ...{ name: timing.op, cat: timing.mark?.phase ?? 'other', ph: 'X' },
      ...{ pid: PROCESS, tid: KERNEL_TRACK + lane, ...lengthOf(start, end) },
      args: argumentsOf(timing),
    };
  });
  const names = [
    nameOf('process_name', MODULE_TRACK, adapter),
    nameOf('thread_name', MODULE_TRACK, 'modules'),
    ...ends.map((_, lane) =>
      nameOf('thread_name', KERNEL_TRACK + lane, lane === 0 ? 'kernels' : `kernels ${lane + 1}`),
    ),
  ];
  return [...names, ...moduleEvents(ordered.map((timing) => [timing, spanOf(timing)])), ...events];
}

/** Writes the events, one a line. Errors: DataError if the file cannot be written. */
export function writeTrace(
  path: string,
  timings: readonly DispatchTiming[],
  adapter: string,
): void {
  const lines = traceEvents(timings, adapter).map((event) => JSON.stringify(event));
  writeFileAtomically(path, [`[\n${lines.join(',\n')}\n]\n`]);
}

/** Kernels in a row that run for the same module in the same direction are one event. */
function moduleEvents(
  spans: readonly (readonly [DispatchTiming, [number, number]])[],
): TraceEvent[] {
  const events: { name: string; cat: string; start: number; end: number }[] = [];
  for (const [{ mark }, [start, end]] of spans) {
    const name = mark?.module ?? 'outside modules';
    const cat = mark?.phase ?? 'other';
    const last = events.at(-1);
    if (last && last.name === name && last.cat === cat) last.end = Math.max(last.end, end);
    else {
      const from = Math.max(start, last?.end ?? 0);
      events.push({ name, cat, start: from, end: Math.max(from, end) });
    }
  }
  return events.map(({ name, cat, start, end }) => ({
    ...{ name, cat, ph: 'X', pid: PROCESS, tid: MODULE_TRACK, ...lengthOf(start, end) },
    args: { phase: cat },
  }));
}

function lengthOf(start: number, end: number): { ts: number; dur: number } {
  return { ts: start, dur: Math.round(1e3 * (end - start)) / 1e3 };
}

function nameOf(what: string, tid: number, name: string): TraceEvent {
  return { name: what, ph: 'M', pid: PROCESS, tid, args: { name } };
}

function argumentsOf(timing: DispatchTiming): Record<string, unknown> {
  const { shader, groups, ms, flops, bytes, mark, bindings } = timing;
  const rate = (amount: number): number => Number((amount / ms / 1e6).toPrecision(4));
  return {
    variant: shader,
    shapes: Object.fromEntries(
      Object.entries(bindings).map(([name, { dtype, shape }]) => [
        name,
        `${dtype} [${shape.join(', ')}]`,
      ]),
    ),
    grid: groups.join('×'),
    ...(mark?.module ? { module: mark.module } : {}),
    ...{ flop: flops, bytes },
    ...(ms > 0 ? { 'GFLOP/s': rate(flops), 'GB/s': rate(bytes) } : {}),
  };
}
