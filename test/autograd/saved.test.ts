import { expect, it } from 'vitest';
import { square } from '../../src/ops/elementwise.js';
import { unaryRecords } from '../../src/autograd/ops/unary.js';
import { applyOp } from '../../src/tensor.js';
import { testDevice } from '../helpers/device.js';

it('a backward that reads what its record does not save says so', async () => {
  const device = await testDevice();
  const x = device.tensor([3], undefined, { requiresGrad: true });
  const forgetful = { ...unaryRecords.square, name: 'forgetful', saves: {} };
  const y = applyOp(forgetful, { x }, {});
  expect(() => y.backward(device.tensor([1]))).toThrow(
    /^forgetful: backward reads saved\.x, which was not kept\nfix: list x in saves of the record/,
  );
  const sound = square(x);
  sound.backward(device.tensor([1]));
  expect(await x.grad!.array()).toEqual([6]);
});
