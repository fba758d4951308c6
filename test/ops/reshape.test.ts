import { expect, it } from 'vitest';
import { expandDims, flatten, reshape, squeeze, transpose } from '../../src/ops/shape.js';
import { describeOp } from '../helpers/battery.js';
import { testDevice } from '../helpers/device.js';

describeOp('reshape');

it('reshape, flatten, squeeze and expandDims share memory', async () => {
  const device = await testDevice();
  const x = device.arange([2, 3, 1]);
  const before = device.memory.liveBuffers;
  expect(await reshape(x, [3, -1]).array()).toEqual([
    [0, 1],
    [2, 3],
    [4, 5],
  ]);
  expect(flatten(x).shape).toEqual([2, 3]);
  expect(squeeze(x).shape).toEqual([2, 3]);
  expect(squeeze(x, { axis: -1 }).shape).toEqual([2, 3]);
  expect(expandDims(x, 0).shape).toEqual([1, 2, 3, 1]);
  expect(expandDims(x, -1).shape).toEqual([2, 3, 1, 1]);
  expect(device.memory.liveBuffers).toBe(before);
});

it('squeeze and expandDims say which axis does not fit', async () => {
  const device = await testDevice();
  const x = device.zeros([2, 3]);
  expect(() => squeeze(x, { axis: 1 })).toThrow('axis 1 of x [2 3] has length 3, expected 1');
  expect(() => squeeze(x, { axis: 5 })).toThrow('axis 5 does not exist');
  expect(() => expandDims(x, 4)).toThrow('expandDims: axis 4 does not fit x [2 3]');
});

it('ops say so when options are no object', async () => {
  const device = await testDevice();
  const x = device.zeros([2, 3]);
  const wrong = [1, 0] as unknown as { permutation: number[] };
  expect(() => transpose(x, wrong)).toThrow(
    'transpose: expected options as an object, got an array [1, 0]',
  );
});
