import { describe, expect, it } from 'vitest';
import { castArray, castVariants } from '../../src/kernels/cast.js';
import { describeOp } from '../helpers/battery.js';
import { testDevice } from '../helpers/device.js';

describeOp('cast');

describe('castArray', () => {
  it.each(castVariants)('multiplies by a scale, %s', async (variant) => {
    const device = await testDevice();
    const { runtime } = device;
    const x = device.tensor(Int32Array.of(3, -5, 7, 0, 9));
    const y = castArray(runtime, x.gpuArray, 'f32', 0.25, variant);
    const got = new Float32Array(await runtime.read(y));
    y.release();
    expect([...got]).toEqual([0.75, -1.25, 1.75, 0, 2.25]);
  });

  it('packs bytes, rounded and within their range, and unpacks them', async () => {
    const device = await testDevice();
    const { runtime } = device;
    const x = device.tensor(Float32Array.of(0.1, 0.5, -3, 1.75, 0.25));
    const bytes = castArray(runtime, x.gpuArray, 'u8', 200);
    expect([...new Uint8Array(await runtime.read(bytes))]).toEqual([20, 100, 0, 255, 50]);
    const floats = castArray(runtime, bytes, 'f32', 0.5);
    expect([...new Float32Array(await runtime.read(floats))]).toEqual([10, 50, 0, 127.5, 25]);
    const whole = castArray(runtime, bytes, 'i32');
    expect([...new Int32Array(await runtime.read(whole))]).toEqual([20, 100, 0, 255, 50]);
    const signed = device.tensor(Int32Array.of(-1, 7, 300));
    const packed = castArray(runtime, signed.gpuArray, 'u8');
    expect([...new Uint8Array(await runtime.read(packed))]).toEqual([0, 7, 255]);
    packed.release();
    for (const array of [bytes, floats, whole]) array.release();
  });
});
