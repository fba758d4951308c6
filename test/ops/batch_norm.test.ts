import { describe, expect, it } from 'vitest';
import { batchNormVariantNames } from '../../src/kernels/batch_norm/variants.js';
import { batchNorm } from '../../src/ops/normalization.js';
import type { Tensor } from '../../src/tensor.js';
import { describeOp } from '../helpers/battery.js';
import { testDevice } from '../helpers/device.js';
import { fillInput } from '../helpers/fill.js';

describeOp('batch_norm');

describe('batchNorm', () => {
  it('computes the numbers of its documentation', async () => {
    const device = await testDevice();
    const x = device.tensor([
      [1, 10],
      [3, 30],
    ]);
    const y = batchNorm(x, { training: true, epsilon: 1e-12 });
    const got = await y.data();
    [-1, -1, 1, 1].forEach((wanted, i) => expect(got[i]).toBeCloseTo(wanted, 6));
  });

  it.each(
    [true, false].flatMap((training) =>
      batchNormVariantNames.flatMap((variant) => [5, 8].map((c) => ({ training, variant, c }))),
    ),
  )('takes gamma 1 and beta 0 where none are given, %j', async ({ c, ...how }) => {
    const device = await testDevice();
    const values = fillInput({ shape: [30, c] }, 3);
    const results = [{}, { gamma: device.ones([c]), beta: device.zeros([c]) }].map((given) => {
      const x = device.tensor(Float32Array.from(values), [30, c], { requiresGrad: true });
      const runningMean = device.full([c], 0.25);
      const running = { runningMean, runningVariance: device.full([c], 1.5) };
      const y = batchNorm(x, { ...how, ...running, ...given });
      y.backward(device.tensor(Float32Array.from(values).reverse(), [30, c]));
      return [y, x.grad!, runningMean];
    });
    for (const [i, tensor] of results[0].entries()) {
      expect(await tensor.data()).toEqual(await results[1][i].data());
    }
  });

  it.each(['naive', 'sliced'] as const)(
    'keeps its digits where the mean is 1000 times the spread, variant %s',
    async (variant) => {
      const device = await testDevice();
      const [rows, c] = [4096, 8];
      const noise = fillInput({ shape: [rows, c] }, 5);
      const values = Float32Array.from(noise, (value) => 1000 + value);
      const runningMean = device.zeros([c]);
      const runningVariance = device.ones([c]);
      const options = { runningMean, runningVariance, training: true, momentum: 1, variant };
      const y = await batchNorm(device.tensor(values, [rows, c]), options).data();
      const variances = await runningVariance.data();
      for (let channel = 0; channel < c; channel++) {
        const column = values.filter((_, i) => i % c === channel);
        const mean = column.reduce((sum, value) => sum + value, 0) / rows;
        let squares = 0;
        for (const value of column) squares += (value - mean) ** 2;
        // Sums of squares of the values themselves would be wrong in the second digit.
        expect(Math.abs(variances[channel] / (squares / (rows - 1)) - 1)).toBeLessThan(1e-5);
        const rstd = 1 / Math.sqrt(squares / rows + 1e-5);
        for (let row = 0; row < rows; row += 97) {
          // The mean is rounded to 2⁻¹⁵ of the spread: float32 has no more digits at 1000.
          const error = Math.abs(y[row * c + channel] - (column[row] - mean) * rstd);
          expect(error).toBeLessThan(2 ** -14);
        }
      }
    },
  );

  it('moves the running statistics in training and leaves them alone otherwise', async () => {
    const device = await testDevice();
    const x = device.tensor([1, 2, 3, 6], [4, 1]);
    const runningMean = device.tensor([1]);
    const runningVariance = device.tensor([2]);
    const running = { runningMean, runningVariance };
    batchNorm(x, { ...running, training: false });
    expect([await runningMean.item(), await runningVariance.item()]).toEqual([1, 2]);
    // The batch has mean 3 and unbiased variance 14/3.
    batchNorm(x, { ...running, training: true, momentum: 0.25 });
    expect(await runningMean.item()).toBeCloseTo(1.5, 6);
    expect(await runningVariance.item()).toBeCloseTo(1.5 + 3.5 / 3, 6);
  });

  it('keeps the statistics of a forward pass for its gradient', async () => {
    const device = await testDevice();
    const x = device.tensor([1, 2], [2, 1], { requiresGrad: true });
    const running = { runningMean: device.zeros([1]), runningVariance: device.ones([1]) };
    const y = batchNorm(x, { ...running, training: false, epsilon: 3 });
    running.runningVariance.assign([97]);
    y.backward(device.ones([2, 1]));
    // 1 / √4, by an inverseSqrt that may be off by 2 units in the last place.
    for (const slope of await x.grad!.data()) expect(slope).toBeCloseTo(0.5, 6);
  });

  it('takes activations that no kernel fuses', async () => {
    const device = await testDevice();
    const x = device.tensor([-1, 1], [2, 1]);
    const y = await batchNorm(x, { training: true, epsilon: 1e-12, activation: 'silu' }).data();
    expect(y[0]).toBeCloseTo(-1 / (1 + Math.E), 5);
    expect(y[1]).toBeCloseTo(1 / (1 + 1 / Math.E), 5);
  });

  it('replays in a captured step, running statistics included', async () => {
    const device = await testDevice();
    const run = (isCaptured: boolean) => {
      const running = { runningMean: device.zeros([2]), runningVariance: device.ones([2]) };
      const step = (x: Tensor) => batchNorm(x, { ...running, training: true });
      const call = isCaptured ? device.capture<[Tensor], Tensor>(step) : step;
      for (let i = 0; i < 3; i++) {
        const values = fillInput({ shape: [128, 2] }, i);
        call(device.tensor(Float32Array.from(values), [128, 2]));
      }
      return Promise.all([running.runningMean.data(), running.runningVariance.data()]);
    };
    expect(await run(true)).toEqual(await run(false));
  });
});
