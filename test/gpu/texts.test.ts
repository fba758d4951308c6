import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDevice, ops, type Device, type Tensor } from '../../src/index.js';

let device: Device;
let x: Tensor;
let w: Tensor;
beforeAll(async () => {
  device = await createDevice();
  x = device.tensor(new Float32Array(9), [1, 3, 3, 1]);
  w = device.tensor(new Float32Array(9), [3, 3, 1, 1]);
});
afterAll(() => device.destroy());

describe('what is wrong with a number is said as it was written', () => {
  it.each([
    [NaN, 'NaN'],
    [[1, NaN] as const, '[1, NaN]'],
    [-1, '-1'],
  ])('padding %s', (padding, text) => {
    expect(() => ops.conv2d(x, w, { padding: padding as number })).toThrow(
      `conv2d: padding must be a whole number of at least 0 or two of them, got ${text}`,
    );
  });

  it('padding that makes an array too large for any adapter', () => {
    expect(() => ops.conv2d(x, w, { padding: 1e9 })).toThrow(
      'array: f32 [1, 2000000001, 2000000001, 1] is larger than any adapter can hold\nfix: ',
    );
  });
});
