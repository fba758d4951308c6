import type { BenchRow, Peak } from './types.js';

/** Pure arithmetic of the table. */

export interface Rates {
  ms: number;
  gflops: number;
  gbps: number;
  percentOfPeak: number;
}

/**
 * Rates of a case that took `ms`. The percentage is that of the limit that binds: the larger of
 * the shares of both peaks, so 100 means the adapter can do no better in either.
 */
export function ratesOf(ms: number, cost: { flops: number; bytes: number }, peak: Peak): Rates {
  const gflops = cost.flops / ms / 1e6;
  const gbps = cost.bytes / ms / 1e6;
  const percentOfPeak = 100 * Math.max(gflops / peak.gflops, gbps / peak.gbps);
  return { ms, gflops, gbps, percentOfPeak };
}

/**
 * Fills `ratioToBest` in, each time over the shortest of the same op, shape, direction and type,
 * and puts the rows of one such group next to each other.
 */
export function withRatios(rows: readonly BenchRow[]): BenchRow[] {
  const best = new Map<string, number>();
  for (const row of rows) {
    if (row.ms === null) continue;
    const key = groupOf(row);
    best.set(key, Math.min(row.ms, best.get(key) ?? Infinity));
  }
  const groups = [...new Set(rows.map(groupOf))];
  return groups
    .flatMap((group) => rows.filter((row) => groupOf(row) === group))
    .map((row) => ({
      ...row,
      ratioToBest: row.ms === null ? null : row.ms / best.get(groupOf(row))!,
    }));
}

function groupOf({ op, shape, direction, dtype }: BenchRow): string {
  return [op, shape, direction, dtype].join(' ');
}
