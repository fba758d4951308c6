import { expect, it } from 'vitest';
import { oneHot } from '../../src/ops/shape.js';
import { describeOp } from '../helpers/battery.js';
import { testDevice } from '../helpers/device.js';

describeOp('one_hot');

it('oneHot gives a row of NaN for an index out of range', async () => {
  const device = await testDevice();
  const y = oneHot(device.tensor(Int32Array.of(1, 2, -1)), { depth: 2 });
  expect([...(await y.data())]).toEqual([0, 1, NaN, NaN, NaN, NaN]);
});
