import type { GpuArray } from '../gpu/array.js';
import { LimitError } from '../errors.js';
import type { Runtime } from '../gpu/runtime.js';
import { timeRuns } from '../gpu/timing.js';
import { firstDifference } from '../kernels/lib/accuracy.js';
import { choicesPlace, saveChoices } from './choice_cache.js';
import { tunableOf, type Tunable, type TunableRun } from './tunable.js';
import { tunedLine, type TunedCandidate, type TunedKernel, type TuneReport } from './report.js';

/** How much faster than the built-in choice another kernel must be: less than this is noise. */
const MARGIN = 1.05;
/** A kernel this many times slower than the built-in one is not timed a second time. */
const HOPELESS = 3;
/** What waiting for the GPU may add to a single run. */
const WAIT_MS = 5;
/** What compiling and reading the result may add to the naive kernel's first run. */
const COMPILE_MS = 2000;

export interface TuneOptions {
  /** Also time shapes that already have a choice. */
  again?: boolean;
  /** Gets a line for each kernel. */
  say?: (text: string) => void;
}

/**
 * Measures every kernel that fits each key, after comparing its results with the naive kernel's, and
 * selects the fastest. The choices are stored for later programs.
 *
 * Random numbers are drawn for operands; the device's random stream is put back where it was.
 */
export async function tuneKernels(
  runtime: Runtime,
  keys: readonly string[],
  options: TuneOptions = {},
): Promise<TuneReport> {
  const { position } = runtime.random;
  const start = performance.now();
  const tuner = new Tuner(runtime, options);
  try {
    for (const key of keys) await tuner.tune(key);
  } finally {
    runtime.random.position = position;
  }
  await runtime.trim();
  const { kernels, known, problem } = tuner;
  const ms = performance.now() - start;
  return { kernels, ms, known, place: await choicesPlace(runtime), problem, isOff: false };
}

/**
 * The fastest variant, if it beats the built-in choice by more than noise; else the built-in one.
 * Where the built-in one has no time, it is the fastest.
 */
export function fastestVariant(builtIn: string, times: ReadonlyMap<string, number>): string {
  const goal = (times.get(builtIn) ?? Infinity) / MARGIN;
  let best = builtIn;
  for (const [variant, ms] of times) {
    if (ms < goal && ms < (best === builtIn ? Infinity : times.get(best)!)) best = variant;
  }
  return best;
}

class Tuner {
  readonly kernels: TunedKernel[] = [];
  known = 0;
  problem: string | null = null;
  private readonly visited = new Set<string>();

  constructor(
    private readonly runtime: Runtime,
    private readonly options: TuneOptions,
  ) {}

  async tune(key: string): Promise<void> {
    if (this.visited.has(key)) return;
    this.visited.add(key);
    const { choices } = this.runtime;
    const tunable = tunableOf(this.runtime, key);
    if (!tunable || tunable.variants.length < 2) return;
    const hasFitting = tunable.variants.includes(choices.get(key) ?? '');
    if (hasFitting && !this.options.again) {
      this.known++;
      return;
    }
    const run = tunable.open();
    try {
      await this.tuneOpened(key, tunable, run);
    } finally {
      run.close();
    }
    this.problem = await saveChoices(this.runtime);
  }

  private async tuneOpened(key: string, tunable: Tunable, run: TunableRun): Promise<void> {
    const { label, variants, builtIn } = tunable;
    const { problems, naiveMs } = await this.compare(tunable, run);
    const right = variants.filter((variant) => !problems.has(variant));
    const times = new Map<string, number>();
    // The built-in one first: its time decides which others are hopeless.
    const order = [...right].sort((a, b) => Number(b === builtIn) - Number(a === builtIn));
    for (const variant of order) {
      // The first run of the others may include compiling their pipelines.
      const hopelessMs = HOPELESS * (times.get(builtIn) ?? Infinity) + COMPILE_MS;
      if (variant === 'naive' && naiveMs > hopelessMs) times.set(variant, naiveMs);
      else await this.time(run, variant, builtIn, times);
    }
    let chosen = fastestVariant(builtIn, times);
    if (chosen !== builtIn && times.has(builtIn)) {
      // A disturbance may have slowed the built-in kernel alone: the change must hold twice.
      for (const variant of [builtIn, chosen]) await this.time(run, variant, builtIn, times);
      chosen = fastestVariant(builtIn, times);
    }
    this.runtime.choices.set(key, chosen);
    const candidates = variants.map((variant): TunedCandidate => {
      const problem = problems.get(variant);
      return { variant, ms: times.get(variant) ?? null, ...(problem ? { problem } : {}) };
    });
    const beforeMs = times.get(builtIn) ?? null;
    const afterMs = times.get(chosen)!;
    const kernel = { key, label, builtIn, chosen, beforeMs, afterMs, candidates };
    this.kernels.push(kernel);
    this.options.say?.(tunedLine(kernel));
  }

  /** Keeps the shorter of a variant's times. */
  private async time(
    run: TunableRun,
    variant: string,
    builtIn: string,
    times: Map<string, number>,
  ): Promise<void> {
    const reference = times.get(builtIn);
    const giveUpMs = reference === undefined ? Infinity : HOPELESS * reference + WAIT_MS;
    const sample = await timeRuns(this.runtime, () => run.run(variant).release(), { giveUpMs });
    times.set(variant, Math.min(sample.ms, times.get(variant) ?? Infinity));
  }

  /**
   * Why variants must not be used: their results differ from the naive one's, or a limit. Also how
   * long the naive one's run took by the wall clock.
   */
  private async compare({ variants, allowed }: Tunable, run: TunableRun) {
    const problems = new Map<string, string>();
    await this.runtime.sync();
    const start = performance.now();
    const truth = await this.read(run.run('naive'));
    const naiveMs = performance.now() - start;
    for (const variant of variants) {
      if (variant === 'naive') continue;
      try {
        const results: GpuArray[] = [];
        const inner = await this.runtime.choices.observe(() => results.push(run.run(variant)));
        const values = await this.read(results[0]);
        const difference = firstDifference(values, truth, allowed(variant));
        if (difference) problems.set(variant, `wrong: ${difference}`);
        // Tune a matmul inside this variant before timing the whole.
        for (const key of inner) await this.tune(key);
      } catch (error) {
        if (!(error instanceof LimitError)) throw error;
        problems.set(variant, error.message);
      }
    }
    return { problems, naiveMs };
  }

  private async read(array: GpuArray): Promise<Float32Array> {
    const values = new Float32Array(await this.runtime.read(array));
    array.release();
    return values;
  }
}
