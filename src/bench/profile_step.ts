import type { Device } from '../device.js';
import type { StepMemory } from '../gpu/lifetimes.js';
import type { DispatchTiming } from '../gpu/profiler.js';
import type { Command } from '../gpu/commands.js';
import { median } from '../gpu/timing.js';
import { accountOf, modulesOf, type ModuleRow, type StepAccount } from './profile.js';
import { measureReplay } from './profile_host.js';

/** The whole of a training step: where its time goes, on the GPU and on the host, and its memory. */
export interface StepReport {
  /** Null on an adapter without timestamp queries. */
  account: StepAccount | null;
  modules: ModuleRow[];
  host: HostTime;
  memory: StepMemory;
  /** What could not be measured, and why. */
  notes: string[];
}

/** Milliseconds of the CPU for one step. */
export interface HostTime {
  /** Of a captured step with the GPU's work taken out; null if the null device cannot do it. */
  replayMs: number | null;
  replays: number;
  /** Of handing a captured step to this adapter's driver. */
  submitMs: number;
  /** Of running the step's program anew: shapes, tape, dispatches, and the driver. */
  recordMs: number;
  dispatches: number;
  copies: number;
}

/** A training step in both forms, on a batch of its own. */
export interface SteppedProgram {
  captured(): void;
  plain(): void;
  /** The host values that each captured step uploads. */
  inputs: readonly ArrayBufferView[];
}

/** As the trainer does: one step more may be on its way while the next is recorded. */
const STEPS_IN_FLIGHT = 2;
/** Profiled steps take this long together, so that the ways to and from the GPU do not count. */
const PROFILE_MS = 150;
const MOST_STEPS = 50;

export interface RunTime {
  /** Wall clock of all steps together. */
  wallMs: number;
  /** Median time in which a step is with the driver. */
  submitMs: number;
}

/** Runs steps that follow each other without a pause. */
export async function runSteps(device: Device, count: number, step: () => void): Promise<RunTime> {
  const { runtime } = device;
  const start = performance.now();
  const submits: number[] = [];
  const flying: Promise<void>[] = [];
  for (let i = 0; i < count; i++) {
    const begin = performance.now();
    step();
    runtime.flush();
    submits.push(performance.now() - begin);
    flying.push(runtime.submittedDone());
    if (flying.length > STEPS_IN_FLIGHT) await flying.shift();
  }
  await Promise.all(flying);
  await device.sync();
  return { wallMs: performance.now() - start, submitMs: median(submits) };
}

/** Times every dispatch of as many steps as it takes to see past the ends of the run. */
export async function profileSteps(
  device: Device,
  stepMs: number,
  step: () => void,
): Promise<{ timings: DispatchTiming[]; steps: number; wallMs: number }> {
  const steps = Math.max(1, Math.min(MOST_STEPS, Math.ceil(PROFILE_MS / stepMs)));
  await device.sync();
  let wallMs = 0;
  const timings = await device.runtime.profile(async () => {
    ({ wallMs } = await runSteps(device, steps, step));
  });
  return { timings, steps, wallMs };
}

/** What the host does for a step; `commands` are those of the captured one. */
export async function measureHost(
  device: Device,
  program: SteppedProgram,
  commands: readonly Command[],
  submitMs: number,
): Promise<{ host: HostTime; notes: string[] }> {
  const notes: string[] = [];
  let replay: { replayMs: number | null; replays: number } = { replayMs: null, replays: 0 };
  try {
    replay = await measureReplay(commands, program.inputs);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    notes.push(`no host time without a GPU: ${why}`);
  }
  const records: number[] = [];
  // The first run may compile kernels that the captured step was not tuned for.
  for (let i = 0; i < 3; i++) {
    const start = performance.now();
    device.scope(() => program.plain());
    device.runtime.flush();
    records.push(performance.now() - start);
    await device.sync();
  }
  const host = {
    ...replay,
    ...{ submitMs, recordMs: Math.min(...records) },
    dispatches: commands.filter(({ kind }) => kind === 'dispatch').length,
    copies: commands.filter(({ kind }) => kind === 'copy').length,
  };
  return { host, notes };
}

export function reportOf(
  profile: { timings: readonly DispatchTiming[]; steps: number; wallMs: number } | null,
  rest: Pick<StepReport, 'host' | 'memory' | 'notes'>,
): StepReport {
  return {
    account: profile ? accountOf(profile.timings, profile.steps, profile.wallMs) : null,
    modules: profile ? modulesOf(profile.timings, profile.steps) : [],
    ...rest,
  };
}
