import { geometricMean } from '../gpu/timing.js';

/** Results of the autotuner, and their text. */

export interface TunedCandidate {
  variant: string;
  /**
   * Median time, or the wall clock of one run if that is over three times the built-in kernel's; null
   * if the kernel gave a wrong result or could not run.
   */
  ms: number | null;
  problem?: string;
}

export interface TunedKernel {
  /** Key of the choice: op, direction, element types and shape. */
  key: string;
  /** The key in readable form. */
  label: string;
  builtIn: string;
  chosen: string;
  /** With the built-in choice; null if that gave a wrong result. */
  beforeMs: number | null;
  afterMs: number;
  candidates: TunedCandidate[];
}

export interface TuneReport {
  kernels: TunedKernel[];
  /** Wall-clock time of tuning, including compilation and comparison. */
  ms: number;
  /** Shapes that had been tuned before and were skipped. */
  known: number;
  /** Where the choices are kept; null if nothing can be kept. */
  place: string | null;
  /** Why the choices could not be kept; they still serve this device. */
  problem: string | null;
  /** True where TILEGRAD_AUTOTUNE is off, so that nothing was measured. */
  isOff: boolean;
}

/** The part of a report that a bench stores. */
export type TuningFigures = Pick<TuneReport, 'kernels' | 'ms' | 'known'>;

/** Null if tuning was off. */
export function figuresOf({ kernels, ms, known, isOff }: TuneReport): TuningFigures | null {
  return isOff ? null : { kernels, ms, known };
}

/** The report if tuning is off; says so in one line. */
export function reportOff(say?: (text: string) => void): TuneReport {
  say?.('tuning is off: TILEGRAD_AUTOTUNE=off, kernels are chosen by rule');
  return { kernels: [], ms: 0, known: 0, place: null, problem: null, isOff: true };
}

/** One line about one kernel. */
export function tunedLine({ label, builtIn, chosen, beforeMs, afterMs }: TunedKernel): string {
  const before = beforeMs === null ? 'wrong' : `${milliseconds(beforeMs)} ms`;
  return chosen === builtIn
    ? `${label}: ${builtIn} ${before}, kept`
    : `${label}: ${builtIn} ${before} → ${chosen} ${milliseconds(afterMs)} ms`;
}

/** The closing lines. */
export function summaryLines({ kernels, ms, known, place, problem, isOff }: TuneReport): string[] {
  if (isOff) return [];
  const changed = kernels.filter(({ builtIn, chosen }) => builtIn !== chosen).length;
  const before = known === 0 ? '' : `, ${known} known from before`;
  const seconds = (ms / 1000).toFixed(1);
  const lines = [
    `tuned ${kernels.length} kernels in ${seconds} s: ${changed} other than built in${before}`,
  ];
  const gain = gainOf(kernels);
  if (gain) {
    const { mean, most } = gain;
    lines.push(
      `built-in choices take ${mean.toFixed(2)} times as long (geometric mean), ${most.toFixed(2)} at most`,
    );
  }
  if (problem !== null) lines.push(`the choices serve this run but are not kept: ${problem}`);
  else if (place !== null && kernels.length > 0) lines.push(`kept in ${place}`);
  for (const { label, candidates } of kernels) {
    for (const { variant, problem: wrong } of candidates) {
      if (wrong) lines.push(`${label}: ${variant} left out, ${wrong}`);
    }
  }
  return lines;
}

/**
 * How many times as long the built-in choices take as the tuned ones: geometric mean and maximum over
 * the kernels where the built-in one gave a right result. Null if there are none.
 */
function gainOf(kernels: readonly TunedKernel[]): { mean: number; most: number } | null {
  const ratios = kernels.flatMap(({ beforeMs, afterMs }) =>
    beforeMs === null ? [] : [beforeMs / afterMs],
  );
  if (ratios.length === 0) return null;
  return { mean: geometricMean(ratios), most: Math.max(...ratios) };
}

function milliseconds(ms: number): string {
  return ms.toFixed(ms < 1 ? 3 : 2);
}
