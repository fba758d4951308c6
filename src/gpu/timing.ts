import type { Runtime } from './runtime.js';

interface Sample {
  /** Median of the runs. */
  ms: number;
  /** The shortest run. */
  leastMs: number;
  runs: number;
}

interface TimingOptions {
  /** About how long all runs together may take. */
  budgetMs?: number;
  /** Take the wall clock even where there are timestamps: to be compared with engines without. */
  isWallClock?: boolean;
  /** Where one warm run takes longer by the wall clock it is the only one. */
  giveUpMs?: number;
}

const BUDGET_MS = 200;
const FEWEST_RUNS = 5;
const MOST_RUNS = 100;
/** A wall clock needs this much work between two waits for the wait not to count. */
const BATCH_MS = 20;

/**
 * How long `run` takes on the GPU: one run to compile and warm up, one to learn how many fit the
 * budget, then the median of at least five. Timestamps are those of the dispatches themselves,
 * summed over a run; without them the wall clock of a batch of runs between two waits.
 */
export async function timeRuns(
  runtime: Runtime,
  run: () => void,
  { budgetMs = BUDGET_MS, isWallClock = false, giveUpMs = Infinity }: TimingOptions = {},
): Promise<Sample> {
  run();
  await runtime.sync();
  const first = await wallMs(runtime, run, 1);
  if (first > giveUpMs) return { ms: first, leastMs: first, runs: 1 };
  const runs = runsWithin(budgetMs, first);
  const samples: number[] = [];
  if (runtime.hasTimestamps && !isWallClock) {
    while (samples.length < runs) samples.push(await timestampMs(runtime, run));
  } else {
    const batch = Math.max(1, Math.min(1000, Math.floor(BATCH_MS / first)));
    const count = Math.max(FEWEST_RUNS, Math.floor(runs / batch));
    while (samples.length < count) samples.push(await wallMs(runtime, run, batch));
  }
  return { ms: median(samples), leastMs: Math.min(...samples), runs: samples.length };
}

async function timestampMs(runtime: Runtime, run: () => void): Promise<number> {
  const timings = await runtime.profile(run);
  return timings.reduce((sum, timing) => sum + timing.ms, 0);
}

async function wallMs(runtime: Runtime, run: () => void, batch: number): Promise<number> {
  const start = performance.now();
  for (let i = 0; i < batch; i++) run();
  await runtime.sync();
  return (performance.now() - start) / batch;
}

export function runsWithin(budgetMs: number, oneMs: number): number {
  // Where one run takes seconds the fifth tells nothing new.
  const fewest = oneMs > 2 * budgetMs ? 3 : FEWEST_RUNS;
  return Math.min(MOST_RUNS, Math.max(fewest, Math.floor(budgetMs / Math.max(oneMs, 1e-3))));
}

export function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
