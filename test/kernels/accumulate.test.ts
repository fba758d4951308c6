import { beforeAll, describe, expect, it } from 'vitest';
import type { Device } from '../../src/device.js';
import type { GpuArray } from '../../src/gpu/array.js';
import { accumulate, addArrays, copyArray } from '../../src/kernels/lib/accumulate.js';
import { testDevice } from '../helpers/device.js';
import { fillInput } from '../helpers/fill.js';

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});

function upload(values: ArrayLike<number>): GpuArray {
  const array = device.runtime.alloc([values.length]);
  device.runtime.write(array, Float32Array.from(values));
  return array;
}

async function download(array: GpuArray): Promise<number[]> {
  return Array.from(new Float32Array(await device.runtime.read(array)));
}

const integers = (size: number, seed: number) =>
  Array.from(fillInput({ shape: [size], fill: 'integers' }, seed));

describe('accumulate', () => {
  // 65 and 257 end one element after a vector and after a workgroup.
  for (const size of [1, 3, 4, 65, 257, 1000]) {
    it(`adds ${size} elements to the target and leaves the source alone`, async () => {
      const [a, b] = [integers(size, 1), integers(size, 2)];
      const [target, source] = [upload(a), upload(b)];
      accumulate(device.runtime, target, source);
      accumulate(device.runtime, target, source);
      expect(await download(target)).toEqual(a.map((value, i) => value + 2 * b[i]));
      expect(await download(source)).toEqual(b);
      target.release();
      source.release();
    });
  }

  it('adds into a new array, and both terms keep their values', async () => {
    const [a, b] = [integers(70, 3), integers(70, 4)];
    const [first, second] = [upload(a), upload(b)];
    const sum = addArrays(device.runtime, first, second);
    expect(await download(sum)).toEqual(a.map((value, i) => value + b[i]));
    expect(await download(first)).toEqual(a);
    expect(sum.shape).toEqual([70]);
    for (const array of [first, second, sum]) array.release();
  });

  it('copies into storage of its own', async () => {
    const source = upload([1, 2, 3, 4, 5]);
    const copy = copyArray(device.runtime, source);
    accumulate(device.runtime, source, copy);
    expect(copy.storage).not.toBe(source.storage);
    expect(await download(copy)).toEqual([1, 2, 3, 4, 5]);
    expect(await download(source)).toEqual([2, 4, 6, 8, 10]);
    source.release();
    copy.release();
  });
});
