import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DeviceError, LimitError } from '../../src/errors.js';
import { createDevice, nn, type Device } from '../../src/index.js';

let device: Device;
beforeEach(async () => {
  device = await createDevice();
});
afterEach(() => device.destroy());

/** A device whose adapter can bind so much at once, as far as the pool knows. */
function limitTo(limits: Partial<Record<string, number>>): void {
  const gpu = device.runtime.device;
  const { maxStorageBufferBindingSize, maxBufferSize } = gpu.limits;
  const value = { maxStorageBufferBindingSize, maxBufferSize, ...limits };
  Object.defineProperty(gpu, 'limits', { value });
}

function errorOf(fn: () => unknown): Error {
  try {
    fn();
  } catch (error) {
    return error as Error;
  }
  throw new Error('expected an error, got none');
}

const layer = (): nn.Sequential =>
  new nn.Sequential(
    new nn.Conv2d(device, { inChannels: 1, outChannels: 32, kernelSize: 3, padding: 'same' }),
  );

describe('an array that is too large', () => {
  it('is named by shape, op and module, with its bytes, the limit and what to lower', () => {
    const model = layer();
    const x = device.zeros([64, 16, 16, 1]);
    limitTo({ maxStorageBufferBindingSize: 2 ** 20 });
    const error = errorOf(() => model.call(x));
    expect(error).toBeInstanceOf(LimitError);
    expect(error.message).toBe(
      'buffer: f32 [64, 16, 16, 32] of conv2d forward in module 0 takes 2.0 MiB, more than this ' +
        'adapter can bind at once, 1.0 MiB (maxStorageBufferBindingSize: requested 2097152, ' +
        'available 1048576)\n' +
        'fix: lower the batch size or the image size; recomputing makes no array smaller',
    );
    expect(error).toMatchObject({ requested: 2 ** 21, available: 2 ** 20, exitCode: 1 });
  });

  it('is named without an op where none makes it, and by the limit that binds', () => {
    limitTo({ maxBufferSize: 2 ** 20 });
    expect(errorOf(() => device.tensor(new Int32Array(2 ** 19), [2, 2 ** 18])).message).toMatch(
      /^buffer: i32 \[2, 262144\] takes 2\.0 MiB, .+ \(maxBufferSize: requested 2097152, available 1048576\)/,
    );
  });

  it('is named in backward', () => {
    const model = layer();
    const x = device.zeros([64, 16, 16, 1], { requiresGrad: true });
    const loss = model.call(x).sum();
    limitTo({ maxStorageBufferBindingSize: 2 ** 20 });
    expect(errorOf(() => loss.backward()).message).toMatch(
      /^buffer: f32 \[64, 16, 16, 32\] of (sum|reduce) backward/,
    );
  });
});

describe('memory that runs out', () => {
  it('says for what, how much is held, and what to lower', async () => {
    const model = layer();
    const x = device.zeros([64, 16, 16, 1]);
    await device.sync();
    const { liveBytes, pooledBytes } = device.memory;
    const gpu = device.runtime.device;
    const lost = { message: 'vkAllocateMemory failed\n  with VK_ERROR_OUT_OF_DEVICE_MEMORY\n' };
    let asked = 0;
    // Of the buffers that the call makes, the first cannot be had.
    Object.defineProperty(gpu, 'popErrorScope', {
      value: () => Promise.resolve(asked++ === 0 ? lost : null),
    });
    const y = model.call(x);
    const reading = y.data();
    await expect(reading).rejects.toThrow(DeviceError);
    const mebibytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(1);
    await expect(reading).rejects.toThrow(
      'device: out of memory for f32 [64, 16, 16, 32] of conv2d forward in module 0, a buffer of ' +
        `2.0 MiB, with ${mebibytes(liveBytes)} MiB live and ${mebibytes(pooledBytes)} MiB that wait ` +
        'for reuse: vkAllocateMemory failed with VK_ERROR_OUT_OF_DEVICE_MEMORY\n' +
        'fix: lower the batch size or the image size, or keep fewer activations by recomputing',
    );
  });
});
