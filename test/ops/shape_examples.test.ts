import { beforeAll, describe, expect, it } from 'vitest';
import type { Device } from '../../src/device.js';
import { ops } from '../../src/ops/index.js';
import { testDevice } from '../helpers/device.js';

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});

describe('shape ops give the numbers of their examples', () => {
  it('pad', async () => {
    const options = {
      padding: [
        [0, 1],
        [1, 0],
      ] as const,
      value: 9,
    };
    expect(await ops.pad(device.tensor([[1, 2]]), options).array()).toEqual([
      [9, 1, 2],
      [9, 9, 9],
    ]);
  });

  it('slice, as a method', async () => {
    const x = device.arange([2, 3]);
    expect(await x.slice({ begin: [0, 1], size: [2, 2] }).array()).toEqual([
      [1, 2],
      [4, 5],
    ]);
  });

  it('concat', async () => {
    const a = device.tensor([[1], [2]]);
    const b = device.tensor([
      [3, 4],
      [5, 6],
    ]);
    expect(await ops.concat([a, b], { axis: 1 }).array()).toEqual([
      [1, 3, 4],
      [2, 5, 6],
    ]);
    expect(() => ops.concat([], { axis: 0 })).toThrow('concat');
    expect(() => ops.concat([a, b.cast('i32')], { axis: 1 })).toThrow(
      'concat: x1 does not fit x0: types, and lengths of all axes but 1, must be equal (x0 [2 1] f32, x1 [2 2] i32)',
    );
  });

  it('transpose', async () => {
    expect(await ops.transpose(device.arange([2, 3])).array()).toEqual([
      [0, 3],
      [1, 4],
      [2, 5],
    ]);
  });

  it('transpose shares memory where only axes of length 1 move', () => {
    const before = device.memory.liveBuffers;
    device.scope(() => {
      const x = device.arange([2, 1, 3]);
      expect(x.transpose({ permutation: [1, 0, 2] }).shape).toEqual([1, 2, 3]);
      expect(device.memory.liveBuffers).toBe(before + 1);
    });
  });

  it('gather, and indices that are out of range', async () => {
    const x = device.tensor([
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
    x.requiresGrad = true;
    const indices = device.tensor(new Int32Array([2, 0, 2, 3, -1]));
    const y = x.gather(indices);
    expect(await y.array()).toEqual([
      [5, 6],
      [1, 2],
      [5, 6],
      [NaN, NaN],
      [5, 6],
    ]);
    y.backward(device.ones([5, 2]));
    expect(await x.grad!.array()).toEqual([
      [1, 1],
      [0, 0],
      [3, 3],
    ]);
  });

  it('oneHot', async () => {
    const labels = device.tensor(new Int32Array([1, 0]));
    expect(await ops.oneHot(labels, { depth: 3 }).array()).toEqual([
      [0, 1, 0],
      [1, 0, 0],
    ]);
  });

  it('whole numbers stay whole numbers', async () => {
    const x = device.tensor(new Int32Array([2 ** 30 + 1, -5, 7]));
    const y = x.pad({ padding: [[1, 0]], value: -2 });
    expect(y.dtype).toBe('i32');
    expect(Array.from(await y.data())).toEqual([-2, 2 ** 30 + 1, -5, 7]);
  });
});
