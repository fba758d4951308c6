import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Runtime } from '../../src/gpu/runtime.js';
import { timeRuns } from '../../src/gpu/timing.js';

afterEach(() => vi.restoreAllMocks());

/** A clock on which the work between two looks takes so long, by turns. */
function clockOf(durations: readonly number[]): void {
  let now = 0;
  let looks = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => {
    if (looks++ % 2 === 1) now += durations[(looks / 2 - 1) % durations.length];
    return now;
  });
}

const runtimeOf = (timestamps: readonly number[] | null) => {
  const left = [...(timestamps ?? [])];
  return {
    hasTimestamps: timestamps !== null,
    sync: () => Promise.resolve(),
    profile(run: () => void) {
      run();
      const ms = left.shift()!;
      // Two dispatches a run.
      return Promise.resolve([{ ms: ms - 1 }, { ms: 1 }]);
    },
  } as unknown as Runtime;
};

describe('measure', () => {
  it('reports the median of timestamps, and the least beside it', async () => {
    clockOf([40]);
    let runs = 0;
    const times = [9, 2, 4, 3, 90];
    const sample = await timeRuns(runtimeOf(times), () => void runs++, { budgetMs: 200 });
    expect(sample).toEqual({ ms: 4, leastMs: 2, runs: 5 });
    // One run to compile and one to learn how long it takes.
    expect(runs).toBe(7);
  });

  it('reports the median by the wall clock where there are no timestamps', async () => {
    // The first is the run that tells how many fit.
    clockOf([40, 30, 50, 20, 90, 25]);
    const sample = await timeRuns(runtimeOf(null), () => undefined, { budgetMs: 200 });
    expect(sample).toEqual({ ms: 30, leastMs: 20, runs: 5 });
  });

  it('takes the mean of the two in the middle of an even number', async () => {
    clockOf([30]);
    const times = [8, 2, 4, 3, 90, 7];
    const sample = await timeRuns(runtimeOf(times), () => undefined, { budgetMs: 199 });
    expect(sample).toEqual({ ms: 5.5, leastMs: 2, runs: 6 });
  });

  it('gives up after one warm run that takes too long', async () => {
    clockOf([40]);
    const sample = await timeRuns(runtimeOf([1]), () => undefined, { giveUpMs: 39 });
    expect(sample).toEqual({ ms: 40, leastMs: 40, runs: 1 });
  });
});
