import { afterAll } from 'vitest';
import { createDevice, type Device } from '../../src/device.js';
import { watchDispatches } from './coverage.js';

let shared: Promise<Device> | null = null;

/** One device for all tests of a file; it is destroyed when the file is done. */
export function testDevice(): Promise<Device> {
  shared ??= createDevice({ seed: 7 }).then((device) => {
    watchDispatches(device.runtime);
    return device;
  });
  return shared;
}

afterAll(async () => {
  if (shared) (await shared).destroy();
  shared = null;
});
