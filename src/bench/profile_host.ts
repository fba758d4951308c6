import { createDevice } from '../device.js';
import type { GpuArray } from '../gpu/array.js';
import type { Storage } from '../gpu/buffer_pool.js';
import type { Command } from '../gpu/recorder.js';
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
 * The data of writes that change from step to step are made anew, as in a real step.
 *
 * Errors: DeviceError where the null device lacks a feature that a shader needs.
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
  const sizes = new Map<Storage, number>();
  for (const command of commands) {
    // The data of a write has the size it has.
    if (command.kind === 'write') {
      const { storage } = command;
      sizes.set(storage, storage.sizeBytes);
    }
  }
  const standIns = new Map<string, GpuArray>();
  const standIn = (storage: Storage, byteOffset: number): GpuArray => {
    // Parts of one buffer get one each: a dispatch may write two that do not overlap.
    const key = `${storage.id}+${byteOffset}`;
    let array = standIns.get(key);
    if (!array) {
      const sizeBytes = sizes.get(storage) ?? Math.min(storage.sizeBytes, STAND_IN_BYTES);
      standIns.set(key, (array = runtime.alloc([sizeBytes], 'u8')));
    }
    return array;
  };
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
