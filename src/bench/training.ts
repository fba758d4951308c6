import type { Device } from '../device.js';
import { DeviceError } from '../errors.js';
import { measureMemory } from '../gpu/lifetimes.js';
import type { DispatchTiming } from '../gpu/profiler.js';
import { median } from '../gpu/timing.js';
import type { TuningFigures } from '../tune/report.js';
import { ratesOf } from './numbers.js';
import { profileOf } from './profile.js';
import { measureHost, profileSteps, reportOf, runSteps, type StepReport } from './profile_step.js';
import { writeTrace } from './profile_trace.js';
import { openProgram, planOf, tunePlan, type TrainingPlan } from './training_program.js';
import type {
  BenchDocument,
  BenchRequest,
  BenchRow,
  Peak,
  TrainingFigures,
  TrainingRow,
} from './types.js';

const BUDGET_MS = 4000;
/** Steps in a trace file: more of the same only make it larger. */
const TRACED_STEPS = 3;

export type TrainingMeasurement = Pick<BenchDocument, 'profile' | 'step' | 'tuning'> & {
  rows: BenchRow[];
  training: TrainingRow;
  tuning?: TuningFigures;
};

/**
 * Whole training steps of a network on random images: the first one with all its compiling, then
 * captured ones as the trainer runs them, then some with every dispatch timed.
 *
 * Errors: DeviceError if a trace file is asked for on an adapter without timestamp queries;
 * DataError if it cannot be written.
 */
export async function measureTraining(
  device: Device,
  request: BenchRequest,
  peak: Peak,
  say: (text: string) => void,
): Promise<TrainingMeasurement> {
  const { runtime, info } = device;
  if (request.traceFile && !runtime.hasTimestamps) {
    throw new DeviceError(
      `bench train: --trace-file needs timestamp queries, which ${info.description} does not have`,
      'leave it out, or choose another adapter',
    );
  }
  const plan = planOf(request);
  const tuning = request.tune ? await tunePlan(device, plan, say) : null;
  const program = openProgram(device, plan);
  try {
    if (plan.recompute) {
      say(`train ${plan.name}: runs again in backward ${program.segments.join(', ')}`);
    }
    say(`train ${plan.name}: the first step`);
    const start = performance.now();
    const { memory, captured } = await measureMemory(runtime, () => program.captured());
    await device.sync();
    const firstStepMs = performance.now() - start;
    say(`train ${plan.name}: captured steps of ${plan.batchSize} images`);
    const { stepMs, submitMs, runs } = await measureSteps(device, () => program.captured());
    const profile = runtime.hasTimestamps
      ? await profileSteps(device, stepMs, () => program.captured())
      : null;
    if (profile && request.traceFile) {
      const { timings, steps } = profile;
      const traced = (timings.length / steps) * Math.min(steps, TRACED_STEPS);
      writeTrace(request.traceFile, timings.slice(-traced), info.description);
      say(`wrote ${request.traceFile}`);
    }
    let step: StepReport | undefined;
    if (request.profile) {
      say(`train ${plan.name}: what the host does`);
      const { host, notes } = await measureHost(device, program, captured, submitMs);
      if (!profile) {
        notes.push(`${info.description} has no timestamp queries: times of the wall clock only`);
      }
      step = reportOf(profile, { host, memory, notes });
    }
    const { name, batchSize, input, dtype } = plan;
    const state = await program.lossScale();
    const cost = profile ? costOf(profile.timings, profile.steps) : null;
    const imagesPerSecond = (1000 * batchSize) / stepMs;
    const figures: TrainingFigures = {
      ...{ imagesPerSecond, firstStepMs },
      ...{ peakBytes: memory.peakBytes, memoryOf: 'arrays in use, rounded up' },
    };
    return {
      rows: [{ ...rowOf(plan, stepMs, runs, cost, peak), training: figures }],
      training: {
        ...{ model: name, parameters: program.parameters, batchSize, input, dtype },
        recompute: plan.recompute ? program.segments : null,
        ...{ firstStepMs, stepMs, imagesPerSecond },
        peakBytes: memory.peakBytes,
        lossScale: state && { scale: state.scale, skippedSteps: state.skippedSteps },
      },
      ...(profile ? { profile: profileOf(profile.timings, profile.steps) } : {}),
      ...(step ? { step } : {}),
      ...(tuning ? { tuning } : {}),
    };
  } finally {
    program.dispose();
  }
}

/** Milliseconds a step when steps follow each other without a pause: the median of three parts. */
async function measureSteps(
  device: Device,
  step: () => void,
): Promise<{ stepMs: number; submitMs: number; runs: number }> {
  const { wallMs: once } = await runSteps(device, 1, step);
  const count = Math.max(2, Math.min(100, Math.ceil(BUDGET_MS / 3 / once)));
  const parts = [];
  for (let i = 0; i < 3; i++) parts.push(await runSteps(device, count, step));
  return {
    stepMs: median(parts.map(({ wallMs }) => wallMs / count)),
    submitMs: median(parts.map(({ submitMs }) => submitMs)),
    runs: 3 * count,
  };
}

interface Cost {
  flops: number;
  bytes: number;
}

function rowOf(
  { name, batchSize, input, classes, dtype, recompute }: TrainingPlan,
  stepMs: number,
  runs: number,
  cost: Cost | null,
  peak: Peak,
): BenchRow {
  const rates = cost
    ? ratesOf(stepMs, cost, peak)
    : { ms: stepMs, gflops: null, gbps: null, percentOfPeak: null };
  return {
    ...{ op: 'train', shape: [batchSize, ...input, classes].join(), direction: 'step' },
    ...{ variant: name, dtype, ...rates },
    ...{ ratioToBest: null, engine: 'tilegrad', isChosen: true, runs },
    note: `wall clock of captured steps${recompute ? ', with recomputation' : ''}`,
  };
}

function costOf(timings: readonly DispatchTiming[], steps: number): Cost {
  return {
    flops: timings.reduce((sum, { flops }) => sum + flops, 0) / steps,
    bytes: timings.reduce((sum, { bytes }) => sum + bytes, 0) / steps,
  };
}
