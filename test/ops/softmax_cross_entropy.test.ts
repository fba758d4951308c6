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

  describe('weighs classes and ignores rows as PyTorch 2.15 does', () => {
    const classWeights = [1, 2, 0.5];
    const probabilities = [0.2, 0.3, 0.5, 0, 1, 0, 0.1, 0.8, 0.1, 0.25, 0.25, 0.5];
    it.each([
      [
        { labelSmoothing: 0.2 },
        Int32Array.of(0, 2, 1, 2),
        1.7023926973,
        [-0.1934087724, 0.0298881903, 0.1635205895, 0.0886631534, 0.0054153423, -0.0940784961],
      ],
      [
        { labelSmoothing: 0.2, ignoreIndex: 1 },
        Int32Array.of(0, 2, 1, 2),
        2.5182666779,
        [
          -0.3868175447, 0.0597763807, 0.3270411789, 0.1773263067, 0.0108306846, -0.188156992, 0, 0,
          0,
        ],
      ],
      [
        { labelSmoothing: 0.2, ignoreIndex: 1, reduction: 'sum' },
        Int32Array.of(0, 2, 1, 2),
        5.0365333557,
        [-0.7736350894, 0.1195527613, 0.6540823579],
      ],
      [
        { labelSmoothing: 0.2 },
        Float32Array.from(probabilities),
        2.1001427174,
        [-0.0325084664, -0.0876645222, 0.1201730072, 0.2882354558, -0.3211660981, 0.0329306833],
      ],
    ] as const)('%j', async (options, labels, wanted, gradient) => {
      const device = await testDevice();
      const logits = device.tensor([1, 2, 3, 1, 0, -1, 0.5, 0.5, 0, 2, -2, 0], [4, 3], {
        requiresGrad: true,
      });
      const targets = device.tensor(labels, labels.length === 4 ? [4] : [4, 3]);
      for (const weights of [classWeights, device.tensor(classWeights)]) {
        logits.zeroGrad();
        const loss = softmaxCrossEntropy(logits, targets, { classWeights: weights, ...options });
        expect(await loss.item()).toBeCloseTo(wanted, 5);
        loss.backward();
        const got = await logits.grad!.data();
        gradient.forEach((value, i) => expect(got[i]).toBeCloseTo(value, 5));
      }
    });

    it('a mean over ignored rows alone is NaN, its gradient 0', async () => {
      const device = await testDevice();
      const logits = device.tensor([1, NaN, 2, 0], [2, 2], { requiresGrad: true });
      const labels = device.tensor(Int32Array.of(-100, -100));
      const loss = softmaxCrossEntropy(logits, labels, { ignoreIndex: -100 });
      expect(await loss.item()).toBeNaN();
      loss.backward();
      expect([...(await logits.grad!.data())]).toEqual([0, 0, 0, 0]);
    });

    it('refuses what are no weights', async () => {
      const device = await testDevice();
      const [logits, labels] = [device.ones([1, 2]), device.tensor(Int32Array.of(0))];
      expect(() => softmaxCrossEntropy(logits, labels, { classWeights: [1, 2, 3] })).toThrow(
        'softmaxCrossEntropy: classWeights must have one weight for each of K=2 classes, got [K=3]',
      );
      const classWeights = 'balanced' as unknown as number[];
      expect(() => softmaxCrossEntropy(logits, labels, { classWeights })).toThrow(
        'softmaxCrossEntropy: classWeights must be a tensor or an array of numbers',
      );
    });
  });

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
