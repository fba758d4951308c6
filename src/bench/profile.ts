import type { DispatchTiming } from '../gpu/profiler.js';

/* Pure arithmetic of profiles: what timed dispatches say about a step. Times in milliseconds. */

/** Dispatches of one op by one shader, in one direction of the tape. */
export interface ProfileRow {
  /** Null for what runs outside the tape: the optimizer, statistics. */
  phase: 'forward' | 'backward' | null;
  op: string;
  shader: string;
  /** Dispatches a step. */
  count: number;
  ms: number;
  /** Of the time of all kernels. */
  percentOfStep: number;
  gflops: number;
  gbps: number;
}

export interface ModuleRow {
  /** Null for what runs outside modules: the loss, the optimizer. */
  module: string | null;
  forwardMs: number;
  backwardMs: number;
  otherMs: number;
  percentOfStep: number;
}

/** Where the wall-clock time of a step went; a mean over profiled steps. */
export interface StepAccount {
  steps: number;
  wallMs: number;
  dispatches: number;
  submissions: number;
  /** While at least one kernel ran. */
  kernelMs: number;
  /** Between kernels, where buffers were copied: no query can time a copy itself. */
  copyMs: number;
  copiedBytes: number;
  /** Between kernels of one submission. */
  gapMs: number;
  longestGapMs: number;
  /** Between submissions: the GPU waits for the host. */
  waitMs: number;
  /** Of the wall clock, by all of these. */
  percentExplained: number;
}

/** Dispatches of `steps` equal steps summed by phase, op and shader, the most expensive first. */
export function profileOf(timings: readonly DispatchTiming[], steps = 1): ProfileRow[] {
  const total = sumOf(timings, ({ ms }) => ms);
  return groupsOf(timings, ({ op, shader, mark }) => [mark?.phase ?? '', op, shader].join(' '))
    .map((group) => {
      const { op, shader, mark } = group[0];
      const ms = sumOf(group, (timing) => timing.ms);
      const rate = (amount: number): number => (ms > 0 ? amount / ms / 1e6 : 0);
      return {
        ...{ phase: mark?.phase ?? null, op, shader },
        ...{ count: group.length / steps, ms: ms / steps },
        percentOfStep: total > 0 ? (100 * ms) / total : 0,
        gflops: rate(sumOf(group, ({ flops }) => flops)),
        gbps: rate(sumOf(group, ({ bytes }) => bytes)),
      };
    })
    .sort((a, b) => b.ms - a.ms);
}

/** The same by module, the most expensive first. */
export function modulesOf(timings: readonly DispatchTiming[], steps = 1): ModuleRow[] {
  const total = sumOf(timings, ({ ms }) => ms);
  return groupsOf(timings, ({ mark }) => mark?.module ?? '')
    .map((group) => {
      const msOf = (phase?: string): number =>
        sumOf(group, ({ ms, mark }) => (mark?.phase === phase ? ms : 0)) / steps;
      return {
        module: group[0].mark?.module ?? null,
        ...{ forwardMs: msOf('forward'), backwardMs: msOf('backward'), otherMs: msOf() },
        percentOfStep: total > 0 ? (100 * sumOf(group, ({ ms }) => ms)) / total : 0,
      };
    })
    .sort((a, b) => b.percentOfStep - a.percentOfStep);
}

/**
 * Splits the wall clock of `steps` steps that followed each other without a pause. What is left
 * over is the way of the first submission to the GPU and of the last result back.
 */
export function accountOf(
  timings: readonly DispatchTiming[],
  steps: number,
  wallMs: number,
): StepAccount {
  const sums = { kernelMs: 0, copyMs: 0, copiedBytes: 0, gapMs: 0, waitMs: 0 };
  let longestGapMs = 0;
  let end = timings.at(0)?.startMs ?? 0;
  for (const { startMs, ms, isFirst, copiedBytes } of timings) {
    const gap = Math.max(0, startMs - end);
    if (copiedBytes > 0) sums.copyMs += gap;
    else if (isFirst) sums.waitMs += gap;
    else {
      sums.gapMs += gap;
      longestGapMs = Math.max(longestGapMs, gap);
    }
    sums.copiedBytes += copiedBytes;
    // Kernels that overlap count once.
    sums.kernelMs += Math.max(0, startMs + ms - Math.max(end, startMs));
    end = Math.max(end, startMs + ms);
  }
  const explained = sums.kernelMs + sums.copyMs + sums.gapMs + sums.waitMs;
  const { kernelMs, copyMs, copiedBytes, gapMs, waitMs } = sums;
  return {
    ...{ steps, wallMs: wallMs / steps },
    dispatches: timings.length / steps,
    submissions: timings.filter(({ isFirst }) => isFirst).length / steps,
    ...{ kernelMs: kernelMs / steps, copyMs: copyMs / steps, copiedBytes: copiedBytes / steps },
    ...{ gapMs: gapMs / steps, longestGapMs, waitMs: waitMs / steps },
    percentExplained: (100 * explained) / wallMs,
  };
}

function groupsOf(
  timings: readonly DispatchTiming[],
  keyOf: (timing: DispatchTiming) => string,
): DispatchTiming[][] {
  const groups = new Map<string, DispatchTiming[]>();
  for (const timing of timings) {
    const key = keyOf(timing);
    const group = groups.get(key);
    if (group) group.push(timing);
    else groups.set(key, [timing]);
  }
  return [...groups.values()];
}

function sumOf(
  timings: readonly DispatchTiming[],
  amount: (timing: DispatchTiming) => number,
): number {
  return timings.reduce((sum, timing) => sum + amount(timing), 0);
}
