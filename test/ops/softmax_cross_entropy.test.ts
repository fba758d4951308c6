import { describe, expect, it } from 'vitest';
import { softmaxCrossEntropy } from '../../src/ops/loss.js';
import { describeOp } from '../helpers/battery.js';
import { testDevice } from '../helpers/device.js';

describeOp('softmax_cross_entropy');

describe('softmaxCrossEntropy', () => {
  it('is log 2 for two equal logits', async () => {
    const device = await testDevice();
    const logits = device.tensor([
      [0, 0],
      [0, 0],
    ]);
    const loss = softmaxCrossEntropy(logits, device.tensor(Int32Array.of(0, 1)));
    expect(loss.shape).toEqual([]);
    expect(await loss.item()).toBeCloseTo(Math.LN2, 6);
  });

  it.each(['naive', 'row'] as const)(
    'a class that does not exist makes its row and its gradient NaN, variant %s',
    async (variant) => {
      const device = await testDevice();
      const values = Array.from({ length: 12 }, (_, i) => i / 7);
      const logits = device.tensor(values, [4, 3], { requiresGrad: true });
      const labels = device.tensor(Int32Array.of(1, 3, -1, 2));
      const losses = softmaxCrossEntropy(logits, labels, { reduction: 'none', variant });
      expect(Array.from(await losses.data(), Number.isNaN)).toEqual([false, true, true, false]);
      expect(await softmaxCrossEntropy(logits, labels, { variant }).item()).toBeNaN();
      losses.backward(device.ones([4]));
      const gradient = Array.from(await logits.grad!.data());
      expect(gradient.map(Number.isNaN)).toEqual(gradient.map((_, i) => i >= 3 && i < 9));
    },
  );

  it.each([
    ['naive', 3],
    ['row', 3],
    ['vec4', 4],
  ] as const)('a NaN among the logits makes all of its row NaN, variant %s', async (variant, k) => {
    const device = await testDevice();
    const values = Array.from({ length: 2 * k }, (_, i) => (i === 1 ? NaN : i / 7));
    for (const labels of [device.tensor(Int32Array.of(0, 0)), device.full([2, k], 1 / k)]) {
      const logits = device.tensor(values, [2, k], { requiresGrad: true });
      const losses = softmaxCrossEntropy(logits, labels, { reduction: 'none', variant });
      expect(Array.from(await losses.data(), Number.isNaN)).toEqual([true, false]);
      losses.backward(device.ones([2]));
      const gradient = Array.from(await logits.grad!.data(), Number.isNaN);
      expect(gradient).toEqual(values.map((_, i) => i < k));
    }
  });

  it.each(['naive', 'row', 'vec4'] as const)(
    'a logit of −∞ adds nothing at a target of 0, and makes the loss infinite at any other, variant %s',
    async (variant) => {
      const device = await testDevice();
      const logits = device.tensor([0, -Infinity, 0, -Infinity, 0, -Infinity, 0, 0], [2, 4], {
        requiresGrad: true,
      });
      const targets = device.tensor([0.5, 0, 0.5, 0, 0.5, 0.5, 0, 0], [2, 4]);
      const losses = softmaxCrossEntropy(logits, targets, { reduction: 'none', variant });
      const [first, second] = await losses.data();
      expect(first).toBeCloseTo(Math.LN2, 6);
      expect(second).toBe(Infinity);
      losses.backward(device.ones([2]));
      const gradient = Array.from(await logits.grad!.data());
      const third = 1 / 3;
      [0, 0, 0, 0, third - 0.5, -0.5, third, third].forEach((wanted, i) =>
        expect(gradient[i]).toBeCloseTo(wanted, 6),
      );
      const labels = device.tensor(Int32Array.of(2, 0));
      const [zero] = await softmaxCrossEntropy(logits, labels, {
        reduction: 'none',
        variant,
      }).data();
      expect(zero).toBeCloseTo(Math.LN2, 6);
    },
  );

  it('adds the losses of more rows than one workgroup takes', async () => {
    const device = await testDevice();
    const rows = 2 * 8192 + 1;
    // Row n has logits (0, log n) and class 0, so its loss is log(1 + n).
    const values = Float32Array.from(
      { length: 2 * rows },
      (_, i) => (i % 2) * Math.log(i / 2 + 0.5),
    );
    const logits = device.tensor(values, [rows, 2]);
    const labels = device.tensor(new Int32Array(rows));
    let wanted = 0;
    for (let i = 0; i < rows; i++) wanted += Math.log1p(Math.exp(values[2 * i + 1]));
    const got = await softmaxCrossEntropy(logits, labels, { reduction: 'sum' }).item();
    expect(Math.abs(got - wanted)).toBeLessThan((8 + Math.sqrt(rows)) * 2 ** -24 * wanted);
  });
});
