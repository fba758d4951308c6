import { expect, it } from 'vitest';
import { models } from '../../src/index.js';
import type { StateValue } from '../../src/nn/index.js';
import { Classifier } from '../../src/train/classifier.js';
import { doubtfulLogits, doubtfulValues, loadingDoubts } from '../../src/train/doubts.js';
import { testDevice } from '../helpers/device.js';

it('values as a fresh network has them raise no doubt, those of another size do', async () => {
  const device = await testDevice();
  const model = models.mnistCnn(device, { input: [8, 8, 1], classes: 3 });
  const values = new Map<string, StateValue>();
  for (const [name, tensor] of model.stateDict()) {
    values.set(name, { shape: tensor.shape, data: await tensor.data() });
  }
  expect(doubtfulValues(values)).toEqual([]);
  const [name, { shape, data }] = [...values].find(([each]) => each.endsWith('weight'))!;
  values.set(name, { shape, data: Float32Array.from(data, (value) => value * 1000) });
  expect(doubtfulValues(values)).toEqual([
    expect.stringMatching(/^the values of 0\.weight are about .*, of a fresh network 0\.28$/),
  ]);
  values.set(name, { shape, data: new Float32Array(data.length) });
  expect(doubtfulValues(values)[0]).toMatch(/0\.weight are about 0\.0, of a fresh/);
  const variance = { shape: [2], data: Float32Array.of(1, -1e-9) };
  expect(doubtfulValues(new Map([['bn.runningVariance', variance]]))).toEqual([
    'bn.runningVariance is negative',
  ]);
});

it.each([
  [[1, 2, 3, 1, 2.5, 3], []],
  [[1, NaN, 1, 2], ['its outputs are not finite']],
  [[1, -2e4, 1, 2], ['its outputs reach 2.0e+4']],
  [[5, 6, 5, 6], ['its outputs are the same for different pictures']],
])('outputs %j', (logits, doubts) => {
  expect(doubtfulLogits(logits)).toEqual(doubts);
});

it('says in one line what looks wrong, and leaves the network in training mode', async () => {
  const device = await testDevice();
  const input = [8, 8, 3] as const;
  const pixels = Uint8Array.from({ length: 2 * 192 }, (_, i) => (i * 37) % 256);
  const data = { size: 2, read: () => Promise.resolve(pixels) } as never;
  const file = { path: 'a.safetensors', format: 'pytorch', layers: [] } as const;
  const doubts = (shortcut: 'pad' | 'pad-both'): Promise<string | null> => {
    const model = models.cifarResnet20(device, { input, classes: 3, shortcut });
    const classifier = new Classifier(device, model, { imageShape: input });
    return loadingDoubts(classifier, file, new Map(), data).finally(() =>
      expect(model.isTraining).toBe(true),
    );
  };
  expect(await doubts('pad-both')).toBeNull();
  expect(await doubts('pad')).toBe(
    'warning  weights from a.safetensors may not suit this network: ' +
      'published CIFAR networks in PyTorch want --shortcut pad-both',
  );
});
