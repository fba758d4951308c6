import { geometricMean } from '../gpu/timing.js';
import type { BenchRow, Comparison, EngineComparison } from './types.js';

const OWN = 'tilegrad';

/**
 * Our chosen kernels beside the fastest other engine of each shape and direction. Engines that round
 * their operands to fewer bits are listed separately and do not count as the best.
 */
export function compareEngines(
  rows: readonly BenchRow[],
  missing: Comparison['missing'],
): Comparison {
  const placeOf = ({ shape, direction }: BenchRow): string => `${shape} ${direction}`;
  const ours = new Map<string, number>();
  for (const row of rows) {
    if (row.engine === OWN && row.isChosen && row.ms !== null) ours.set(placeOf(row), row.ms);
  }
  const best = new Map<string, BenchRow & { ms: number }>();
  const ratios = new Map<string, { isReduced: boolean; values: number[] }>();
  for (const row of rows) {
    const own = ours.get(placeOf(row));
    if (row.engine === OWN || row.ms === null || own === undefined) continue;
    const { engine, ms, isReduced = false } = row;
    const known = ratios.get(engine) ?? { isReduced, values: [] };
    known.values.push(ms / own);
    ratios.set(engine, known);
    if (isReduced || ms >= (best.get(placeOf(row))?.ms ?? Infinity)) continue;
    best.set(placeOf(row), { ...row, ms });
  }
  const slower: Comparison['slower'] = [];
  const toBest: number[] = [];
  for (const [place, { shape, direction, engine, ms }] of best) {
    const ratio = ours.get(place)! / ms;
    toBest.push(1 / ratio);
    if (ratio > 1) slower.push({ shape, direction, engine, ratio });
  }
  const engines = [...ratios].map(([engine, { isReduced, values }]): EngineComparison => ({
    ...{ engine, isReduced, geometricMean: geometricMean(values), count: values.length },
  }));
  return {
    geometricMean: toBest.length > 0 ? geometricMean(toBest) : null,
    count: toBest.length,
    ...{ slower, engines, missing },
  };
}

/** The comparison in words. */
export function comparisonLines(comparison: Comparison): string[] {
  const { count, slower, engines, missing } = comparison;
  const lines = engines.map(
    ({ engine, geometricMean: mean, count: places, isReduced }) =>
      `${mean.toFixed(2)} times the speed of ${engine}, geometric mean of ${places}${isReduced ? ' (operands of fewer bits, not counted below)' : ''}`,
  );
  for (const { peer, reason } of missing) {
    lines.push(`${peer} was not measured: ${reason}`);
  }
  if (comparison.geometricMean === null) {
    return [...lines, 'nothing to compare: no other engine gave a right result'];
  }
  if (comparison.losses) return lines;
  const mean = comparison.geometricMean.toFixed(2);
  lines.push(
    `${mean} times the speed of the best other engine of each shape and direction, geometric mean of ${count}; another engine is faster in ${slower.length} of them`,
  );
  for (const { shape, direction, engine, ratio } of slower) {
    lines.push(`${engine} is ${ratio.toFixed(2)} times as fast at ${shape} ${direction}`);
  }
  return lines;
}
