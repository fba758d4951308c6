import type { Device } from '../device.js';
import { openProgram, type TrainingPlan } from './training_program.js';

/*
 * Losses by which engines can be compared.
 *
 * Two right engines round differently, and training makes more of that: batch norm over few values
 * and the first steps of Adam, which are as long where a gradient is all rounding, can turn the last
 * bit into a tenth of the loss within a few steps. How much so is measured: a twin starts from
 * weights that are each moved by a random share of at most MOVE, and drifts away from us. The
 * learning rate is lowered for the comparison, in all engines, until the twin stays near.
 */

/** Losses are compared before any update and after each of these. */
export const UPDATES = 10;

/** 64 times the rounding of f32: it changes a first loss about as much as other engines differ. */
const MOVE = 2 ** -18;
/** TF32 keeps 10 bits of each operand. */
const REDUCED_MOVE = 2 ** -10;
/** The most by which updates may part the twin's losses from ours, relatively. */
const STEADY = 2e-3;
/** What an engine may differ by before any update, where the twin may happen to be nearer. */
const FLOOR = 1e-3;
const REDUCED_FLOOR = 16 * FLOOR;
/** A twin is one sample of how rounding may fall. */
const SLACK = 4;
const MOST_TENTHS = 7;
/** Updates of a first look at a rate. */
const PROBE = 2;

type Weights = ReadonlyMap<string, { shape: readonly number[]; data: Float32Array }>;

/** What every engine starts from, what it is to reach, and how far off it may end. */
export interface LossTarget {
  /** With the learning rate of the comparison. */
  plan: TrainingPlan;
  weights: Weights;
  images: Uint8Array;
  labels: Int32Array;
  /** UPDATES + 1 of them. */
  losses: number[];
  /** For each loss the relative difference that is allowed. */
  allowed: number[];
  isSteady: boolean;
}

/** Trains as `plan` says, at a tenth of its rate, or a tenth of that, where rounding counts too much. */
export async function lossTarget(
  device: Device,
  plan: TrainingPlan,
  say: (text: string) => void,
): Promise<LossTarget> {
  const program = openProgram(device, plan);
  const weights = new Map<string, { shape: readonly number[]; data: Float32Array }>();
  for (const [name, parameter] of program.model.namedParameters()) {
    const data = new Float32Array((await parameter.data()) as Float32Array);
    weights.set(name, { shape: [...parameter.shape], data });
  }
  const [images, labels] = program.inputs as [Uint8Array, Int32Array];
  program.dispose();
  for (let tenths = 0; ; tenths++) {
    // Written without the digits that division leaves at its end.
    const lr = Number((plan.settings.lr / 10 ** tenths).toPrecision(12));
    const slower = { ...plan, settings: { ...plan.settings, lr } };
    say(`train ${plan.name}: losses to compare, lr ${lr}`);
    const isLast = tenths === MOST_TENTHS;
    const settings = { weights, move: MOVE, isLast };
    // A rate that is far too high shows at once.
    if (!isLast) {
      const losses = await lossesFrom(device, slower, weights, PROBE);
      if ((await driftsFrom(device, slower, { ...settings, losses })).some(isTooFar)) continue;
    }
    const losses = await lossesFrom(device, slower, weights, UPDATES);
    const drifts = await driftsFrom(device, slower, { ...settings, losses });
    const isSteady = !drifts.some(isTooFar);
    if (!isSteady && !isLast) continue;
    const allowed = allowedBy(drifts, FLOOR);
    return { plan: slower, weights, images, labels, losses, allowed, isSteady };
  }
}

/** What an engine may differ by that rounds its operands to 10 bits. */
export async function reducedAllowance(device: Device, target: LossTarget): Promise<number[]> {
  const { plan, weights, losses } = target;
  const settings = { weights, losses, move: REDUCED_MOVE, isLast: true };
  return allowedBy(await driftsFrom(device, plan, settings), REDUCED_FLOOR);
}

/** Differences do not shrink for good: what was allowed once is allowed later. */
export function allowedBy(drifts: readonly number[], floor: number): number[] {
  return drifts.map((_, i) => floor + SLACK * Math.max(...drifts.slice(0, i + 1)));
}

/** The first loss that is too far off, and the largest relative difference of all. */
export function compareLosses(
  got: readonly number[],
  { losses, allowed }: Pick<LossTarget, 'losses' | 'allowed'>,
): { relativeError: number; problem: string | null } {
  if (got.length !== losses.length) {
    return { relativeError: NaN, problem: `gave ${got.length} losses, we have ${losses.length}` };
  }
  // One that is no number has no difference, and is not allowed.
  const differences = losses.map((loss, i) => Math.abs(Number(got[i] ?? NaN) - loss) / loss);
  const relativeError = Math.max(...differences);
  const first = differences.findIndex((difference, i) => !(difference <= allowed[i]));
  if (first < 0) return { relativeError, problem: null };
  const place = first === 0 ? 'before any update' : `after ${first} of ${UPDATES} updates`;
  const [error, most] = [differences[first], allowed[first]].map((x) => x.toExponential(1));
  return {
    relativeError,
    problem: `disagrees with tilegrad: loss ${got[first]} ${place}, ours ${losses[first]}, relative error ${error}, allowed ${most}`,
  };
}

async function lossesFrom(
  device: Device,
  plan: TrainingPlan,
  weights: Weights,
  updates: number,
  isEnough: (losses: readonly number[]) => boolean = () => false,
): Promise<number[]> {
  const program = openProgram(device, plan);
  try {
    program.model.loadStateDict(weights, { strict: false });
    const losses: number[] = [];
    while (losses.length <= updates && !isEnough(losses)) losses.push(await program.loss());
    return losses;
  } finally {
    program.dispose();
    await device.sync();
  }
}

/** How far a twin is from our losses; it ends early where it is too far, unless it is the last. */
async function driftsFrom(
  device: Device,
  plan: TrainingPlan,
  settings: { weights: Weights; losses: readonly number[]; move: number; isLast: boolean },
): Promise<number[]> {
  const { weights, losses, move, isLast } = settings;
  const drift = (loss: number, i: number): number => Math.abs(loss - losses[i]) / losses[i];
  const isFar = (twin: readonly number[]): boolean => !isLast && twin.map(drift).some(isTooFar);
  const start = moved(weights, move);
  return (await lossesFrom(device, plan, start, losses.length - 1, isFar)).map(drift);
}

/** A lower rate is no help with what differs before any update, the first of them. */
const isTooFar = (drift: number, _: number, [first]: readonly number[]): boolean =>
  !(drift <= STEADY + first);

function moved(weights: Weights, move: number): Weights {
  let state = 1;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state * 2 ** -31 - 1;
  };
  const change = (value: number): number => value * (1 + move * next());
  return new Map(
    [...weights].map(([name, { shape, data }]) => [name, { shape, data: data.map(change) }]),
  );
}
