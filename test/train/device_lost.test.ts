import { readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { DeviceError } from '../../src/errors.js';
import type { Device } from '../../src/index.js';
import { temporaryFolder, tinyModel, train } from './helpers.js';

const folders: string[] = [];
const strays: unknown[] = [];
const onStray = (reason: unknown): void => void strays.push(reason);
process.on('unhandledRejection', onStray);
afterAll(() => {
  process.off('unhandledRejection', onStray);
  for (const made of folders) rmSync(made, { recursive: true });
});

/** Trains until `lose` was called at step 8, which is in the second epoch and a replay. */
async function trainUntil(lose: (device: Device) => void) {
  const folder = temporaryFolder();
  folders.push(folder);
  let device: Device;
  let steps = 0;
  let saved: Buffer | null = null;
  const error: unknown = await train({
    folder,
    model: (opened) => tinyModel((device = opened)),
    events: {
      shouldStop: () => {
        if (++steps === 8) {
          saved = readFileSync(join(folder, 'last.safetensors'));
          lose(device);
        }
        return false;
      },
    },
  }).catch((reason: unknown) => reason);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(error).toBeInstanceOf(DeviceError);
  expect((error as DeviceError).exitCode).toBe(1);
  return { folder, message: (error as Error).message, saved: saved! };
}

describe('a device that is lost while steps are replayed', () => {
  it('ends training with one error, and leaves the checkpoints as they were', async () => {
    const { folder, message, saved } = await trainUntil((device) =>
      device.runtime.device.destroy(),
    );
    expect(message).toMatch(
      /^device: .+ was lost \(destroyed\): .+\nfix: a kernel ran too long or memory ran out: lower the batch size, then go on from the last checkpoint$/,
    );
    expect(strays).toEqual([]);
    expect(readFileSync(join(folder, 'last.safetensors')).equals(saved)).toBe(true);
    expect(readdirSync(folder).filter((name) => name.includes('tmp'))).toEqual([]);
    const whole = temporaryFolder();
    folders.push(whole);
    const [resumed, unbroken] = [
      await train({ folder, resume: true }),
      await train({ folder: whole }),
    ];
    expect(resumed.weights).toEqual(unbroken.weights);
  });

  it('is told in one line where the driver’s words have more, and all waits are refused', async () => {
    const { message } = await trainUntil(({ runtime }) => {
      const refuse = (): Promise<never> => Promise.reject(new Error('work done:\n  device lost'));
      Object.defineProperty(runtime.device.queue, 'onSubmittedWorkDone', { value: refuse });
    });
    expect(message).toBe('device: work failed: work done: device lost');
    expect(strays).toEqual([]);
  });
});
