import { describe, expect, it } from 'vitest';
import { topK } from '../../src/ops/top_k.js';
import { describeOp } from '../helpers/battery.js';
import { testDevice } from '../helpers/device.js';

describeOp('top_k');

describe('topK', () => {
  it('computes the numbers of its documentation', async () => {
    const device = await testDevice();
    const { values, indices } = topK(device.tensor([[1, 5, 3]]), { k: 2 });
    expect(await values.array()).toEqual([[5, 3]]);
    expect(await indices.array()).toEqual([[1, 2]]);
    expect(indices.dtype).toBe('i32');
  });

  it('puts NaN first, then infinity, and takes −0 for 0', async () => {
    const device = await testDevice();
    const x = device.tensor([
      [1, NaN, Infinity, NaN],
      [-0, 0, -Infinity, -1],
    ]);
    const { values, indices } = topK(x, { k: 4 });
    expect(await indices.array()).toEqual([
      [1, 3, 2, 0],
      [0, 1, 3, 2],
    ]);
    expect(await values.array()).toEqual([
      [NaN, NaN, Infinity, 1],
      [-0, 0, -1, -Infinity],
    ]);
  });

  it('sends the gradient to where the values came from, along any axis', async () => {
    const device = await testDevice();
    const x = device.tensor(
      [
        [4, 1],
        [2, 6],
        [3, 5],
      ],
      undefined,
      { requiresGrad: true },
    );
    const { values } = topK(x, { k: 2, axis: 0 });
    expect(await values.array()).toEqual([
      [4, 6],
      [3, 5],
    ]);
    values.backward(
      device.tensor([
        [10, 20],
        [30, 40],
      ]),
    );
    expect(await x.grad!.array()).toEqual([
      [10, 0],
      [0, 20],
      [30, 40],
    ]);
  });
});
