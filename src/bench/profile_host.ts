import { createDevice } from '../device.js';
import type { GpuArray } from '../gpu/array.js';
import type { Storage } from '../gpu/buffer_pool.js';
import type { Command } from '../gpu/commands.js';
import type { Runtime } from '../gpu/runtime.js';
import { median } from '../gpu/timing.js';

/** What one step costs the CPU. */
export interface ReplayTime {
  /** Median of replaying it on the null device, which takes commands and runs nothing. */
  replayMs: number;
  replays: number;
}

/** Replays before the measured ones, in which JavaScript is compiled: a run has thousands of steps. */
const WARM_UP = 30;
const FEWEST_REPLAYS = 20;
const MOST_REPLAYS = 300;
const BUDGET_MS = 1000;
/** Stand-ins are no larger, as the null device has little memory and nothing reads them. */
const STAND_IN_BYTES = 1024;

/**
 * Replays the commands of a captured step where the GPU does nothing: the same dispatches by the
 * same pipelines and as many buffers, so that what is left is the time of the CPU. Drivers' own
 * work is not in it. `inputs` are host values that each step uploads.
 *
 * The data of writes that change from step to step are made again, as in a real step.
 *
 * Errors: DeviceError if the null device lacks a feature that a shader needs.
 */
export async function measureReplay(
  commands: readonly Command[],
  inputs: readonly ArrayBufferView[],
): Promise<ReplayTime> {
  using device = await createDevice({ isNull: true });
  const { runtime } = device;
  const batch = inputs.map((values) => runtime.alloc([values.byteLength], 'u8'));
  const { captured } = runtime.captureCommands(() => recordAgain(runtime, commands));
  const replay = (): void => {
    inputs.forEach((values, i) => runtime.write(batch[i], values));
    runtime.replay(captured);
  };
  await runtime.sync();
  for (let i = 0; i < WARM_UP; i++) {
    replay();
    await runtime.sync();
  }
  const samples: number[] = [];
  const begin = performance.now();
  while (
    samples.length < FEWEST_REPLAYS ||
    (samples.length < MOST_REPLAYS && performance.now() - begin < BUDGET_MS)
  ) {
    const start = performance.now();
    replay();
    samples.push(performance.now() - start);
    await runtime.sync();
  }
  return { replayMs: median(samples), replays: samples.length };
}

/** Records commands of another device anew, with a small buffer for each of its buffers. */
function recordAgain(runtime: Runtime, commands: readonly Command[]): void {
  const standIns = makeStandIns(runtime, commands);
  const standIn = (storage: Storage, byteOffset: number): GpuArray =>
    standIns.get(storage)!.get(byteOffset)!;
  for (const command of commands) {
    if (command.kind === 'dispatch') {
      const bindings = Object.fromEntries(
        Object.entries(command.request.bindings).map(([name, { storage, byteOffset }]) => [
          name,
          standIn(storage, byteOffset),
        ]),
      );
      runtime.dispatch({ ...command.request, groups: command.groups, bindings });
    } else if (command.kind === 'write') {
      const { storage, byteOffset, data, isHoistable } = command;
      runtime.recorder.write(standIn(storage, byteOffset), data, isHoistable);
    } else if ('lastUse' in command.target) {
      const source = standIn(command.source, command.sourceOffset);
      const target = standIn(command.target, command.targetOffset);
      const most = Math.min(source.byteLength, target.byteLength);
      runtime.copy(source, target, { sizeBytes: Math.min(command.sizeBytes, most) });
    }
  }
}

/**
 * For each buffer that commands use a buffer with as many parts, by where the part begins: the time of
 * a command grows with the buffers it names, and parts of one are cheaper.
 */
function makeStandIns(
  runtime: Runtime,
  commands: readonly Command[],
): Map<Storage, Map<number, GpuArray>> {
  const offsets = new Map<Storage, Set<number>>();
  const use = (storage: Storage, byteOffset: number): void => {
    const known = offsets.get(storage);
    if (known) known.add(byteOffset);
    else offsets.set(storage, new Set([byteOffset]));
  };
  // The data of a write has the size it has.
  const written = new Set<Storage>();
  for (const command of commands) {
    if (command.kind === 'dispatch') {
      for (const { storage, byteOffset } of Object.values(command.request.bindings)) {
        use(storage, byteOffset);
      }
    } else if (command.kind === 'write') {
      use(command.storage, command.byteOffset);
      written.add(command.storage);
    } else if ('lastUse' in command.target) {
      use(command.source, command.sourceOffset);
      use(command.target, command.targetOffset);
    }
  }
  const standIns = new Map<Storage, Map<number, GpuArray>>();
  for (const [storage, starts] of offsets) {
    const partBytes = written.has(storage)
      ? storage.sizeBytes
      : Math.min(storage.sizeBytes, STAND_IN_BYTES);
    const whole = runtime.alloc([starts.size * partBytes], 'u8');
    const parts = [...starts].sort((a, b) => a - b);
    standIns.set(
      storage,
      new Map(parts.map((start, i) => [start, whole.part(i * partBytes, [partBytes])])),
    );
  }
  return standIns;
}
