/** What the autotuner found, and how it is told. */

export interface TunedCandidate {
  variant: string;
  /** Median; null where the kernel gave a wrong result or could not run. */
  ms: number | null;
  problem?: string;
}

export interface TunedKernel {
  /** What the choice is kept under: op, direction, element types and shape. */
  key: string;
  /** The same for people. */
  label: string;
  builtIn: string;
  chosen: string;
  /** With the built-in choice; null where that gave a wrong result. */
  beforeMs: number | null;
  afterMs: number;
  candidates: TunedCandidate[];
}

export interface TuneReport {
  kernels: TunedKernel[];
  /** Shapes that were tuned before, by this device or an earlier program, and were left alone. */
  known: number;
  /** Where the choices are kept; null where nothing can be kept. */
  place: string | null;
  /** Why the choices could not be kept; they still serve this device. */
  problem: string | null;
  /** True where TILEGRAD_AUTOTUNE is off, so that nothing was measured. */
  isOff: boolean;
}

/** The report where tuning is switched off, which is said in one line. */
export function reportOff(say?: (text: string) => void): TuneReport {
  say?.('tuning is off: TILEGRAD_AUTOTUNE=off, kernels are chosen by rule');
  return { kernels: [], known: 0, place: null, problem: null, isOff: true };
}

/** One line about one kernel. */
export function tunedLine({ label, builtIn, chosen, beforeMs, afterMs }: TunedKernel): string {
  const before = beforeMs === null ? 'wrong' : `${milliseconds(beforeMs)} ms`;
  return chosen === builtIn
    ? `${label}: ${builtIn} ${before}, kept`
    : `${label}: ${builtIn} ${before} → ${chosen} ${milliseconds(afterMs)} ms`;
}

/** What is to be said when all are done. */
export function summaryLines({ kernels, known, place, problem, isOff }: TuneReport): string[] {
  if (isOff) return [];
  const changed = kernels.filter(({ builtIn, chosen }) => builtIn !== chosen).length;
  const before = known === 0 ? '' : `, ${known} known from before`;
  const lines = [`tuned ${kernels.length} kernels: ${changed} other than built in${before}`];
  if (problem !== null) lines.push(`the choices serve this run but are not kept: ${problem}`);
  else if (place !== null && kernels.length > 0) lines.push(`kept in ${place}`);
  for (const { label, candidates } of kernels) {
    for (const { variant, problem: wrong } of candidates) {
      if (wrong) lines.push(`${label}: ${variant} left out, ${wrong}`);
    }
  }
  return lines;
}

function milliseconds(ms: number): string {
  return ms.toFixed(ms < 1 ? 3 : 2);
}
