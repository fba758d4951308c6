import type { Device } from '../device.js';
import type { GpuArray } from '../gpu/array.js';
import type { Command } from '../gpu/commands.js';
import type { Runtime } from '../gpu/runtime.js';
import { timeRuns } from '../gpu/timing.js';
import { firstDifference } from '../kernels/lib/accuracy.js';
import type { BenchCase, CaseRunner, CaseVariant } from './case.js';
import { explainKernel } from './explain.js';
import { ratesOf } from './numbers.js';
import type { BenchRow, Peak } from './types.js';

export interface CaseSettings {
  /** The only kernel to timeRuns, `chosen` for the one that runs by default; all where undefined. */
  variant: string | undefined;
  peak: Peak;
  /** For a comparison with engines that are timed that way. */
  isWallClock: boolean;
  /** Say of each kernel what bounds it. */
  isExplained?: boolean;
}

interface Candidate extends CaseVariant {
  isChosen: boolean;
  /** Names of variants that dispatch the same work. */
  aliases: string[];
}

/**
 * Measures the kernels of one shape and direction. Each is first compared with the naive one, and
 * not timed where it differs: a wrong kernel has no speed.
 */
export async function measureCase(
  device: Device,
  benchCase: BenchCase,
  settings: CaseSettings,
): Promise<{ rows: BenchRow[]; names: string[] }> {
  const { runtime } = device;
  const { variant } = settings;
  const runner = benchCase.open(device);
  try {
    const candidates = await distinctKernels(runtime, runner);
    const names = candidates.map(({ name }) => name);
    const wanted = candidates.flatMap((candidate) => selected(candidate, variant));
    const naive = candidates.find(({ name }) => name === 'naive');
    const truth =
      naive && wanted.some(({ name }) => name !== 'naive')
        ? await results(runtime, runner, naive)
        : null;
    const rows: BenchRow[] = [];
    for (const candidate of wanted) {
      const problem =
        truth && candidate.name !== 'naive'
          ? differenceOf(runner, candidate, await results(runtime, runner, candidate), truth)
          : null;
      rows.push(await rowOf(runtime, benchCase, runner, candidate, problem, settings));
    }
    return { rows, names };
  } finally {
    runner.close();
    await runtime.sync();
  }
}

/** The kernel under the name it is asked for by, if it is asked for. */
function selected(candidate: Candidate, variant: string | undefined): Candidate[] {
  if (variant === undefined || variant === candidate.name) return [candidate];
  if (variant === 'chosen') return candidate.isChosen ? [candidate] : [];
  return candidate.aliases.includes(variant) ? [{ ...candidate, name: variant }] : [];
}

async function rowOf(
  runtime: Runtime,
  { op, shape, direction, dtype, cost }: BenchCase,
  runner: CaseRunner,
  candidate: Candidate,
  problem: string | null,
  { peak, isWallClock, isExplained = false }: CaseSettings,
): Promise<BenchRow> {
  const { name, isChosen, slack } = candidate;
  const note =
    slack &&
    `${name} is less accurate: held to ${Number(slack.toPrecision(3))} times the others' error bound`;
  const head = {
    ...{ op, shape, direction, variant: name, dtype, engine: 'tilegrad', isChosen },
    ...(note ? { note } : {}),
  };
  if (problem !== null) {
    const none = { ms: null, gflops: null, gbps: null, percentOfPeak: null, ratioToBest: null };
    return { ...head, ...none, runs: 0, problem: `wrong: ${problem}` };
  }
  const { ms, runs } = await timeRuns(runtime, () => releaseAll(runner.run(candidate)), {
    isWallClock,
  });
  const row = { ...head, ...ratesOf(ms, cost, peak), ratioToBest: null, runs };
  if (!isExplained) return row;
  const commands = await recorded(runtime, runner, candidate);
  const run = (): void => releaseAll(runner.run(candidate));
  const timings = runtime.hasTimestamps ? await runtime.profile(run) : [];
  const measured = { ms, dispatchMs: timings.map((timing) => timing.ms) };
  return { ...row, explain: explainKernel(runtime.info, commands, cost, peak, measured) };
}

/**
 * The variants that differ in this direction, and which of them runs by default. A name may stand for
 * a kernel of another direction and leave this one as chosen; what is dispatched tells.
 */
async function distinctKernels(runtime: Runtime, runner: CaseRunner): Promise<Candidate[]> {
  const chosen = await signature(runtime, runner);
  const candidates = new Map<string, Candidate>();
  for (const variant of runner.variants) {
    const key = await signature(runtime, runner, variant);
    const same = candidates.get(key);
    if (same) same.aliases.push(variant.name);
    else candidates.set(key, { ...variant, isChosen: key === chosen, aliases: [] });
  }
  // An op with one kernel, or a choice that mixes them, has no name for what runs by default.
  if (!candidates.has(chosen)) {
    candidates.set(chosen, { name: 'chosen', option: undefined, isChosen: true, aliases: [] });
  }
  return [...candidates.values()];
}

/** What a run dispatches: shaders with their settings and grids. */
async function signature(
  runtime: Runtime,
  runner: CaseRunner,
  variant?: CaseVariant,
): Promise<string> {
  const commands = await recorded(runtime, runner, variant);
  const kernels = commands.map((command) =>
    command.kind === 'dispatch'
      ? `${command.pipeline.id} ${command.groups.join('×')}`
      : command.kind,
  );
  return kernels.join('; ');
}

/** The commands of a run, which is not repeated by them: their buffers are gone. */
async function recorded(
  runtime: Runtime,
  runner: CaseRunner,
  variant?: CaseVariant,
): Promise<readonly Command[]> {
  const { captured } = runtime.captureCommands(() => releaseAll(runner.run(variant)));
  // Its buffers may go only when the commands, which may wait for pipelines, have run.
  await runtime.sync();
  runtime.disposeCapture(captured);
  return captured.commands;
}

async function results(
  runtime: Runtime,
  runner: CaseRunner,
  variant: CaseVariant,
): Promise<Float32Array[]> {
  const arrays = runner.run(variant);
  const values: Float32Array[] = [];
  for (const array of arrays) values.push(new Float32Array(await runtime.read(array)));
  releaseAll(arrays);
  return values;
}

function differenceOf(
  runner: CaseRunner,
  { slack = 1 }: CaseVariant,
  got: readonly Float32Array[],
  want: readonly Float32Array[],
): string | null {
  for (let i = 0; i < want.length; i++) {
    const difference = firstDifference(got[i], want[i], slack * runner.allowed(want[i], i));
    if (difference) return want.length > 1 ? `result ${i + 1}: ${difference}` : difference;
  }
  return null;
}

function releaseAll(arrays: readonly GpuArray[]): void {
  for (const array of arrays) array.release();
}
