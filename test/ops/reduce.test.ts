import { describe, expect, it } from 'vitest';
import { prod } from '../../src/ops/reduce.js';
import { describeOp } from '../helpers/battery.js';
import { testDevice } from '../helpers/device.js';

describeOp('reduce');

describe('prod', () => {
  it('leaves out the element itself in its gradient, zeros or not', async () => {
    const device = await testDevice();
    const values = [
      [1, 2, 4, -8],
      [0, 2, 4, -8],
      [0, 2, 0, -8],
    ];
    const x = device.tensor(values, undefined, { requiresGrad: true });
    const y = prod(x, { axis: 1 });
    expect(await y.array()).toEqual([-64, -0, -0]);
    y.backward(device.tensor([1, 2, 4]));
    expect(await x.grad!.array()).toEqual([
      [-64, -32, -16, 8],
      [-128, 0, 0, 0],
      [0, 0, 0, 0],
    ]);
  });

  it('multiplies a long array in rows and columns', async () => {
    const device = await testDevice();
    const values = new Float32Array(64 * 256).fill(1);
    for (const at of [0, 255, 256, 7000, 16383]) values[at] = -2;
    expect(await prod(device.tensor(values)).item()).toBe(-32);
  });

  it('is NaN where an element is', async () => {
    const device = await testDevice();
    const x = device.tensor([
      [1, NaN],
      [0, NaN],
    ]);
    expect(await prod(x, { axis: 1 }).array()).toEqual([NaN, NaN]);
  });
});
