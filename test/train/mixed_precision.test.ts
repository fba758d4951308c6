import { rmSync } from 'node:fs';
import { expect, it } from 'vitest';
import { createDevice } from '../../src/device.js';
import { DeviceError } from '../../src/errors.js';
import { dense, matmul } from '../../src/ops/linear.js';
import { conv2d } from '../../src/ops/conv.js';
import { asOperand, withOperands } from '../../src/ops/mixed_precision.js';
import { reshape } from '../../src/ops/shape.js';
import { testDevice } from '../helpers/device.js';
import { temporaryFolder, train } from './helpers.js';

it('rounds the operands of products to f16, and nothing else', async () => {
  const device = await testDevice();
  if (!device.info.features.includes('shader-f16')) {
    console.log('skipped: no shader-f16 on this adapter');
    return;
  }
  await device.scope(async () => {
    // 1 + 2⁻¹² is no f16 number: it rounds to 1. The sum of 64 of them is one of f32.
    const a = device.full([1, 64], 1 + 2 ** -12);
    const ones = device.ones([64, 1]);
    const products = (): Promise<number>[] => [
      matmul(a, ones).item(),
      dense(a, ones).item(),
      conv2d(reshape(a, [1, 1, 1, 64]), reshape(ones, [1, 1, 64, 1])).item(),
    ];
    expect(await Promise.all(products())).toEqual(Array(3).fill(64 + 64 * 2 ** -12));
    expect(await Promise.all(withOperands('f16', products))).toEqual(Array(3).fill(64));
    expect(asOperand(a)).toBe(a);
  });
});

it('trains with f16 operands close to f32, and resumes bit for bit', async () => {
  const device = await testDevice();
  if (!device.info.features.includes('shader-f16')) return;
  const [folder, other, stopped] = [temporaryFolder(), temporaryFolder(), temporaryFolder()];
  const exact = await train({ folder });
  const rounded = await train({ folder: other, config: { dtype: 'f16' } });
  expect(rounded.weights).not.toEqual(exact.weights);
  const [last, lastRounded] = [exact.progress.history[2], rounded.progress.history[2]];
  expect(Math.abs(lastRounded.loss - last.loss)).toBeLessThan(0.02 * last.loss);
  let steps = 0;
  const events = { shouldStop: () => ++steps >= 3 };
  await train({ folder: stopped, config: { dtype: 'f16' }, events });
  const resumed = await train({ folder: stopped, resume: true, config: { dtype: 'f16' } });
  expect(resumed.weights).toEqual(rounded.weights);
  for (const made of [folder, other, stopped]) rmSync(made, { recursive: true });
});

it('says so where the adapter has no f16', async () => {
  const device = await createDevice();
  const x = device.ones([2, 2]);
  const { features } = device.runtime.device;
  Object.defineProperty(device.runtime.device, 'features', {
    value: new Set([...features].filter((name) => name !== 'shader-f16')),
  });
  expect(() => withOperands('f16', () => matmul(x, x))).toThrow(DeviceError);
  expect(() => withOperands('f16', () => matmul(x, x))).toThrow(
    /has no shader-f16, which operands of f16 need\nfix: use f32/,
  );
  device.destroy();
});
