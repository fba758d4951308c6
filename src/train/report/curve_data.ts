import { judged, type EpochMetrics } from '../history.js';
import { LearningRate, parseSchedule, type RateSettings } from '../learning_rate.js';
import type { Point } from './curves.js';
import type { ReportSubject } from './subject.js';

/* What the learning curves are drawn from. */

/** Points of a curve at most: more than it has pixels would not be seen. */
const MOST_POINTS = 800;

/** The number of the best epoch, by what the run judges by; null without any. */
export function bestEpoch({
  history,
  config,
}: Pick<ReportSubject, 'history' | 'config'>): number | null {
  const by = config.bestBy ?? 'accuracy';
  const value = (row: EpochMetrics): number => {
    const figure = judged(row, by);
    return Number.isNaN(figure) ? -Infinity : by === 'loss' ? -figure : figure;
  };
  let best: EpochMetrics | null = null;
  for (const row of history) if (value(row) > (best ? value(best) : -Infinity)) best = row;
  return best?.epoch ?? null;
}

/**
 * The learning rate of every step, as its schedule has it. Where that is not known, as of a plateau,
 * or of a run that went on with another rate, that of each epoch's last step.
 */
export function learningRates({
  history,
  config,
}: Pick<ReportSubject, 'history' | 'config'>): Point[] {
  const last = history.at(-1);
  if (!last) return [];
  const perEpoch: Point[] = [
    ...history.map(({ epoch, learningRate }): Point => [epoch - 1, learningRate]),
    [last.epoch, last.learningRate],
  ];
  const { schedule, lr, warmup, epochs } = config;
  const stepsPerEpoch = config.inForce?.stepsPerEpoch;
  if (schedule === undefined || lr === undefined || stepsPerEpoch === undefined) return perEpoch;
  if (parseSchedule(schedule).name === 'plateau') return perEpoch;
  const settings: RateSettings = {
    schedule,
    lr,
    warmup: warmup ?? 0,
    epochs: epochs ?? last.epoch,
  };
  const rate = new LearningRate(settings, stepsPerEpoch);
  const isOwn = history.every(
    ({ epoch, learningRate }) =>
      Math.abs(rate.at(epoch * stepsPerEpoch - 1) / learningRate - 1) < 1e-6,
  );
  if (!isOwn) return perEpoch;
  const [from, to] = [(history[0].epoch - 1) * stepsPerEpoch, last.epoch * stepsPerEpoch];
  const stride = Math.max(1, Math.ceil((to - from) / MOST_POINTS));
  const points: Point[] = [];
  for (let step = from; step < to; step += stride)
    points.push([step / stepsPerEpoch, rate.at(step)]);
  return [...points, [last.epoch, rate.at(to - 1)]];
}

/** The loss of each step; of a long run the means of neighbours. */
export function stepLosses({
  steps = [],
  config,
}: Pick<ReportSubject, 'steps' | 'config'>): Point[] {
  const stepsPerEpoch = config.inForce?.stepsPerEpoch;
  if (stepsPerEpoch === undefined) return [];
  const stride = Math.max(1, Math.ceil(steps.length / MOST_POINTS));
  const points: Point[] = [];
  for (let from = 0; from < steps.length; from += stride) {
    const some = steps.slice(from, from + stride);
    const mean = some.reduce((sum, { loss }) => sum + loss, 0) / some.length;
    points.push([some[some.length - 1].step / stepsPerEpoch, mean]);
  }
  return points;
}
