import { ShapeError } from '../errors.js';

/**
 * Learning rates over time. A schedule is a function of a count (steps or epochs, whichever the
 * caller counts, from 0) that returns the rate to set: `optimizer.lr = schedule(epoch)`. It has no
 * state, so a checkpoint needs only the count; `reduceOnPlateau` is the exception.
 */
export type Schedule = (count: number) => number;

/** Always the same. */
export function constant(lr: number): Schedule {
  check('constant', 'lr', lr, lr >= 0);
  return () => lr;
}

/** lr · factor^⌊count / every⌋ */
export function step(lr: number, options: { every: number; factor?: number }): Schedule {
  const { every, factor = 0.1 } = options;
  check('step', 'lr', lr, lr >= 0);
  check('step', 'every', every, every > 0);
  check('step', 'factor', factor, factor > 0);
  return (count) => lr * factor ** Math.floor(count / every);
}

/** lr · rate^(count / every) */
export function exponential(lr: number, options: { rate: number; every?: number }): Schedule {
  const { rate, every = 1 } = options;
  check('exponential', 'lr', lr, lr >= 0);
  check('exponential', 'rate', rate, rate > 0);
  check('exponential', 'every', every, every > 0);
  return (count) => lr * rate ** (count / every);
}

/** lr / (1 + decay · count): what Keras calls `decay`, with count the number of steps done. */
export function inverseTime(lr: number, options: { decay: number }): Schedule {
  const { decay } = options;
  check('inverseTime', 'lr', lr, lr >= 0);
  check('inverseTime', 'decay', decay, decay >= 0);
  return (count) => lr / (1 + decay * count);
}

/** Half a cosine from lr down to `floor` over `total` counts, then `floor` (arXiv:1608.03983). */
export function cosine(lr: number, options: { total: number; floor?: number }): Schedule {
  const { total, floor = 0 } = options;
  check('cosine', 'lr', lr, lr >= 0);
  check('cosine', 'total', total, total > 0);
  check('cosine', 'floor', floor, floor >= 0);
  return (count) => {
    const progress = Math.min(1, count / total);
    return floor + ((lr - floor) * (1 + Math.cos(Math.PI * progress))) / 2;
  };
}

/**
 * Rises evenly from `from` to the first rate of `after` over `total` counts, then continues with
 * `after`, which counts from 0 there. Rates before the first step are never 0: count c gives the
 * share (c + 1) / (total + 1) of the way.
 */
export function warmup(after: Schedule, options: { total: number; from?: number }): Schedule {
  const { total, from = 0 } = options;
  check('warmup', 'total', total, total >= 0);
  check('warmup', 'from', from, from >= 0);
  return (count) => {
    if (count >= total) return after(count - total);
    return from + ((after(0) - from) * (count + 1)) / (total + 1);
  };
}

/**
 * One rate for each stretch: `rates[i]` until count reaches `boundaries[i]`, the last from there on.
 *
 * @example
 * const lr = optim.schedule.piecewise({ boundaries: [4, 8], rates: [5e-4, 3e-4, 1e-4] });
 * [lr(0), lr(4), lr(8)]; // [5e-4, 3e-4, 1e-4]
 */
export function piecewise(options: {
  boundaries: readonly number[];
  rates: readonly number[];
}): Schedule {
  const { boundaries, rates } = options;
  if (rates.length !== boundaries.length + 1) {
    throw new ShapeError(
      `schedule: piecewise needs one rate more than boundaries, got ${rates.length} rates and ${boundaries.length} boundaries`,
    );
  }
  boundaries.forEach((boundary, i) => {
    check('piecewise', 'each boundary', boundary, i === 0 || boundary > boundaries[i - 1]);
  });
  for (const rate of rates) check('piecewise', 'each rate', rate, rate >= 0);
  return (count) => {
    const at = boundaries.findIndex((boundary) => count < boundary);
    return rates[at === -1 ? rates.length - 1 : at];
  };
}

export interface PlateauOptions {
  /** Factor of the rate at each reduction. Default 0.1. */
  factor?: number;
  /** Counts without improvement before a reduction. Default 10. */
  patience?: number;
  /** 'min' for losses, 'max' for accuracies. Default 'min'. */
  mode?: 'min' | 'max';
  /** Smallest change that counts as improvement. Default 1e-4. */
  threshold?: number;
  /** Counts after a reduction during which metrics are ignored. Default 0. */
  cooldown?: number;
  /** Lower bound of the rate. Default 0. */
  floor?: number;
}

/**
 * Whether a metric is better than the best so far. NaN is never better, and anything lower than
 * infinity (for mode 'max': higher than −infinity) is better than none, or than NaN.
 */
export function improves(
  metric: number,
  best: number | null,
  { mode = 'min', threshold = 0 }: Pick<PlateauOptions, 'mode' | 'threshold'> = {},
): boolean {
  const sign = mode === 'min' ? 1 : -1;
  const least = best === null || Number.isNaN(best) ? Infinity : sign * best;
  return sign * metric < least - threshold;
}

/** What a plateau schedule remembers; a checkpoint keeps it. */
export interface PlateauState {
  lr: number;
  /** null before the first value. */
  best: number | null;
  waited: number;
  cooling: number;
}

export interface Plateau {
  readonly lr: number;
  /** Takes a metric (once per epoch) and returns the rate to continue with. */
  update(metric: number): number;
  state(): PlateauState;
  loadState(state: PlateauState): void;
}

/**
 * Lowers the rate when a metric has stopped improving: after more than `patience` updates in a row
 * that are not better than the best by `threshold`, lr ← max(floor, lr · factor). A metric of NaN
 * is not better than any, and never becomes the best.
 */
export function reduceOnPlateau(lr: number, options: PlateauOptions = {}): Plateau {
  const { factor = 0.1, patience = 10, mode = 'min' } = options;
  const { threshold = 1e-4, cooldown = 0, floor = 0 } = options;
  check('reduceOnPlateau', 'lr', lr, lr >= 0);
  check('reduceOnPlateau', 'factor', factor, factor > 0 && factor < 1);
  check('reduceOnPlateau', 'patience', patience, patience >= 0);
  check('reduceOnPlateau', 'threshold', threshold, threshold >= 0);
  check('reduceOnPlateau', 'cooldown', cooldown, cooldown >= 0);
  check('reduceOnPlateau', 'floor', floor, floor >= 0);
  let now: PlateauState = { lr, best: null, waited: 0, cooling: 0 };
  return {
    get lr() {
      return now.lr;
    },
    update(metric) {
      const isBetter = improves(metric, now.best, { mode, threshold });
      if (isBetter) now.best = metric;
      if (now.cooling > 0) {
        now.cooling--;
        now.waited = 0;
      } else {
        now.waited = isBetter ? 0 : now.waited + 1;
      }
      if (now.waited > patience) {
        now.lr = Math.max(floor, now.lr * factor);
        now.waited = 0;
        now.cooling = cooldown;
      }
      return now.lr;
    },
    state: () => ({ ...now }),
    loadState(state) {
      now = { ...state };
    },
  };
}

/** A number that a schedule cannot have. */
export class ScheduleError extends ShapeError {
  constructor(
    schedule: string,
    readonly problem: string,
  ) {
    super(`schedule: ${schedule} got ${problem}`);
  }
}

function check(schedule: string, name: string, value: number, isRight: boolean): void {
  if (isRight && Number.isFinite(value)) return;
  throw new ScheduleError(schedule, `${name}=${value}, which is out of range`);
}
