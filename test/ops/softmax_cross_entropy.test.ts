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
    'a class that does not exist makes its row NaN and its gradient 0, variant %s',
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
      expect(gradient.slice(3, 9)).toEqual([0, 0, 0, 0, 0, 0]);
      expect(gradient.slice(0, 3).every((value) => value !== 0)).toBe(true);
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
