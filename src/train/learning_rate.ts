import { optionName, trainerName, UsageError } from '../errors.js';
import { didYouMean } from '../gpu/nearest_name.js';
import { F32_RANGE, isF32 } from '../gpu/f32.js';
import {
  schedule,
  type Plateau,
  type PlateauOptions,
  type PlateauState,
  type Schedule,
} from '../optim/index.js';

/* Learning-rate schedules as texts: `--schedule cosine`, `"schedule": "inverse-time:2e-6"`. */

const forms = {
  constant: 'constant',
  stages: 'stages:RATE,RATE,… (equal parts of the run)',
  'per-epoch': 'per-epoch:RATE,RATE,…',
  'inverse-time': 'inverse-time:DECAY (per step)',
  exponential: 'exponential:FACTOR (per epoch)',
  step: 'step:EPOCHS,FACTOR',
  cosine: 'cosine or cosine:FLOOR',
  plateau: 'plateau:FACTOR,PATIENCE (epochs without a better validation loss)',
} as const;

type ScheduleName = keyof typeof forms;

interface ParsedSchedule {
  name: ScheduleName;
  values: number[];
}

/** How many values each takes. */
const arity: Readonly<Record<ScheduleName, readonly [number, number]>> = {
  constant: [0, 0],
  stages: [1, Infinity],
  'per-epoch': [1, Infinity],
  'inverse-time': [1, 1],
  exponential: [1, 1],
  step: [2, 2],
  cosine: [0, 1],
  plateau: [2, 2],
};

/** Every form of the text, for help and errors. */
export const scheduleForms: readonly string[] = Object.values(forms);

/**
 * Takes a schedule's text apart.
 *
 * Errors: UsageError with the forms there are.
 */
export function parseSchedule(text: string): ParsedSchedule {
  const [name, ...rest] = text.split(':');
  const list = rest.join(':');
  const values = list === '' ? [] : list.split(',').map((part) => Number(part || NaN));
  if (Object.hasOwn(forms, name)) {
    const [least, most] = arity[name as ScheduleName];
    const isFine = values.every((value) => value >= 0 && value < Infinity);
    if (isFine && !values.every(isF32)) {
      throw new UsageError(`schedule: expected numbers of f32 (0, or ${F32_RANGE}), got "${text}"`);
    }
    if (isFine && values.length >= least && values.length <= most) {
      return { name: name as ScheduleName, values };
    }
    throw new UsageError(`schedule: expected ${forms[name as ScheduleName]}, got "${text}"`);
  }
  throw new UsageError(
    `schedule: no schedule named "${name}"`,
    didYouMean(name, Object.keys(forms)) ?? `use one of: ${Object.values(forms).join('; ')}`,
  );
}

/** Throws a UsageError unless the text is a schedule with possible values. */
export function checkSchedule(text: string): void {
  try {
    const plateau = plateauOf(text);
    if (plateau) schedule.reduceOnPlateau(1e-3, plateau);
    new LearningRate({ schedule: text, lr: 1e-3, warmup: 0, epochs: 1 }, 1);
  } catch (error) {
    if (!(error instanceof schedule.ScheduleError)) throw error;
    const form = forms[parseSchedule(text).name];
    throw new UsageError(`schedule: expected ${form}, got "${text}": ${error.problem}`);
  }
}

/** Whether the text names rates of its own, so that `lr` says nothing. */
export function namesRates(text: string): boolean {
  return ['stages', 'per-epoch'].includes(parseSchedule(text).name);
}

/** What a text that names a plateau says; null for any other. */
export function plateauOf(
  text: string,
): Required<Pick<PlateauOptions, 'factor' | 'patience'>> | null {
  const { name, values } = parseSchedule(text);
  return name === 'plateau' ? { factor: values[0], patience: values[1] } : null;
}

export interface RateSettings {
  /** A text, or the rate of every step, counted from 0. */
  schedule: string | Schedule;
  lr: number;
  /** Epochs, a part of one too, over which the rate rises from 0. */
  warmup: number;
  epochs: number;
}

/**
 * The learning rate of every step of a run: a function of how many steps were done, or what a plateau
 * has come to, so that a resumed run continues with the same rates.
 */
export class LearningRate {
  private readonly rateOf: Schedule;
  private plateau: Plateau | null = null;

  constructor(
    private readonly settings: RateSettings,
    private readonly stepsPerEpoch: number,
  ) {
    const { schedule: given } = settings;
    if (typeof given === 'function') this.rateOf = given;
    else {
      const { name, values } = parseSchedule(given);
      this.rateOf = scheduleOf(name, values, settings, stepsPerEpoch);
    }
  }

  /**
   * From now on the rate is that of a plateau; `state` is what a checkpoint kept of it.
   *
   * Errors: UsageError if another schedule, or another plateau, has the rate.
   */
  follow(plateau: Plateau, state: PlateauState | null): void {
    const { schedule: given } = this.settings;
    const isFree = given === 'constant' || (typeof given === 'string' && plateauOf(given) !== null);
    if (!isFree || this.plateau) {
      throw new UsageError(
        `${trainerName()}: reduceOnPlateau, beside ${isFree ? 'another plateau' : 'a schedule'}`,
        'the learning rate can follow one of them: leave out the other',
      );
    }
    this.plateau = plateau;
    if (state) plateau.loadState(state);
  }

  /** The rate of a step, counted from 0 since the run began. */
  at(step: number): number {
    const rate = this.plateau ? this.plateau.lr : this.rateOf(step);
    const rising = Math.ceil(this.settings.warmup * this.stepsPerEpoch);
    return step < rising ? (rate * (step + 1)) / (rising + 1) : rate;
  }

  /**
   * Errors: UsageError if the rate grows beyond what f32 holds by the last step of the run, with
   * which that of every schedule that grows is greatest.
   */
  checkGrowth(): void {
    const { schedule: given, epochs } = this.settings;
    const last = this.at(epochs * this.stepsPerEpoch - 1);
    if (isF32(last) || last < 1) return;
    const text = typeof given === 'string' ? ` ${given}` : '';
    throw new UsageError(
      `${trainerName()}: ${optionName('schedule')}${text} takes ` +
        `the learning rate to ${last.toPrecision(3)} within ${epochs} epochs, which f32 cannot hold`,
      `choose a factor of at most 1, or fewer ${optionName('epochs')}`,
    );
  }

  /** What a checkpoint keeps; null if the step count says it all. */
  state(): PlateauState | null {
    return this.plateau?.state() ?? null;
  }
}

function scheduleOf(
  name: ScheduleName,
  values: readonly number[],
  { lr, epochs }: RateSettings,
  stepsPerEpoch: number,
): Schedule {
  const epochOf = (step: number): number => Math.floor(step / stepsPerEpoch);
  switch (name) {
    case 'stages':
      return (step) => {
        const stage = Math.floor((epochOf(step) * values.length) / epochs);
        return values[Math.min(stage, values.length - 1)];
      };
    case 'per-epoch':
      return (step) => values[Math.min(epochOf(step), values.length - 1)];
    case 'inverse-time':
      return schedule.inverseTime(lr, { decay: values[0] });
    case 'exponential':
      return schedule.exponential(lr, { rate: values[0], every: stepsPerEpoch });
    case 'step': {
      const stepped = schedule.step(lr, { every: values[0], factor: values[1] });
      return (step) => stepped(epochOf(step));
    }
    case 'cosine':
      return schedule.cosine(lr, { total: epochs * stepsPerEpoch, floor: values[0] ?? 0 });
    default:
      return schedule.constant(lr);
  }
}
