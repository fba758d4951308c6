import { afterEach, describe, expect, it, vi } from 'vitest';
import { noGrad } from '../../src/autograd/recording.js';
import { MemoryDataset } from '../../src/data/index.js';
import { cifarVgg, EfficientNet, ResNet, ResNetV1 } from '../../src/models/index.js';
import {
  BatchNorm2d,
  Conv2d,
  DepthwiseConv2d,
  watchModules,
  type Module,
} from '../../src/nn/index.js';
import { softmaxCrossEntropy } from '../../src/ops/loss.js';
import { SGD } from '../../src/optim/index.js';
import type { Tensor } from '../../src/tensor.js';
import { Classifier } from '../../src/train/classifier.js';
import { Evaluator } from '../../src/train/evaluate.js';
import { testDevice } from '../helpers/device.js';
import { seededRandom } from '../helpers/fill.js';

const device = await testDevice();
afterEach(() => vi.restoreAllMocks());

/**
 * [name, network, height and width, convolutions whose batch norm is folded]: those with more outputs
 * than weights a channel, for four images.
 */
const networks: [string, () => Module, number, number][] = [
  [
    'resnet18 with narrow stages',
    () =>
      new ResNet(device, {
        ...{ block: 'basic', stages: [2, 2, 2, 2], width: 8, input: [16, 16, 3], classes: 5 },
      }),
    ...([16, 11] as const),
  ],
  [
    'resnet101-v1 of fewer and narrower blocks',
    () => new ResNetV1(device, { stages: [1, 2, 3, 1], width: 8, input: [40, 40, 3], classes: 5 }),
    ...([40, 13] as const),
  ],
  [
    'efficient-net-b0 of fewer blocks',
    () =>
      new EfficientNet(device, {
        ...{ stemChannels: 8, headChannels: 32, input: [16, 16, 3], classes: 5 },
        stages: [
          { expansion: 1, kernelSize: 3, stride: 1, outChannels: 8, blocks: 1 },
          { expansion: 6, kernelSize: 5, stride: 2, outChannels: 12, blocks: 2 },
          { expansion: 6, kernelSize: 3, stride: 1, outChannels: 16, blocks: 2 },
        ],
      }),
    // The last convolution of each block; the others are followed by silu.
    ...([16, 5] as const),
  ],
  // Its batch norms come after ReLU, which nothing can be folded through.
  ['cifar-vgg', () => cifarVgg(device, { classes: 5 }), 32, 0],
];

const noise = (shape: number[], seed: number): Tensor => {
  const random = seededRandom(seed);
  const size = shape.reduce((product, n) => product * n, 1);
  return device.tensor(
    Float32Array.from({ length: size }, () => 2 * random() - 1),
    shape,
  );
};

/** A network in evaluation mode with the statistics of a batch, and any scales and shifts. */
function settled(model: Module, x: Tensor): Module {
  const norms = [...model.namedModules()].flatMap(([, module]) =>
    module instanceof BatchNorm2d ? [module] : [],
  );
  const random = seededRandom(3);
  const draw = (count: number, low: number, high: number): number[] =>
    Array.from({ length: count }, () => low + (high - low) * random());
  for (const norm of norms) {
    norm.gamma!.assign(draw(norm.gamma!.size, 0.5, 1.5));
    norm.beta!.assign(draw(norm.beta!.size, -0.5, 0.5));
  }
  const shares = norms.map(({ options }) => options.momentum);
  for (const { options } of norms) options.momentum = 1;
  noGrad(() => model.train().call(x)).dispose();
  norms.forEach(({ options }, i) => (options.momentum = shares[i]));
  return model.eval();
}

/** Both ways, with the shaders that ran. */
async function run(model: Module, x: Tensor, isFolded: boolean) {
  const dispatch = vi.spyOn(device.runtime, 'dispatch');
  const forward = (): Tensor => noGrad(() => model.call(x));
  // A batch norm is not folded under the eyes of somebody who wants to see it.
  const y = isFolded ? forward() : watchModules(() => undefined, forward);
  const shaders = dispatch.mock.calls.map(([{ shader }]) => shader);
  dispatch.mockRestore();
  return { values: [...(await y.data())], shaders };
}

/**
 * Moves each weight of the convolutions by what rounding may do to it: a computed sum of L products
 * is the exact sum with weights that are off by (8 + √L)·2⁻²⁴ at most.
 */
async function perturb(model: Module): Promise<void> {
  const random = seededRandom(17);
  for (const [, module] of model.namedModules()) {
    if (!(module instanceof Conv2d || module instanceof DepthwiseConv2d)) continue;
    const { weight } = module;
    const terms = weight.size / module.outChannels;
    const off = (8 + Math.sqrt(terms)) * 2 ** -24;
    const values = Float32Array.from(await weight.data());
    weight.assign(values.map((value) => value * (1 + (random() < 0.5 ? off : -off))));
  }
}

const rms = (values: readonly number[]): number =>
  Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
const difference = (a: readonly number[], b: readonly number[]): number =>
  rms(a.map((value, i) => value - b[i]));

/** Probabilities of rows of three logits. */
function softmaxed(logits: readonly number[]): number[] {
  const powers = logits.map(Math.exp);
  return powers.map((power, i) => {
    const row = powers.slice(3 * Math.floor(i / 3), 3 * Math.floor(i / 3) + 3);
    return power / (row[0] + row[1] + row[2]);
  });
}

describe('an evaluation with folded batch norms', () => {
  for (const [name, make, edge, folds] of networks) {
    it(`agrees with one without, in fewer dispatches: ${name}`, async () => {
      const model = make();
      const x = noise([4, edge, edge, 3], 1);
      settled(model, x);
      const [apart, folded] = [await run(model, x, false), await run(model, x, true)];
      const count = (shaders: string[], shader: string): number =>
        shaders.filter((ran) => ran === shader).length;
      const norms = [...model.namedModules()].filter(([, m]) => m instanceof BatchNorm2d).length;
      const statistics = 'batch_norm_statistics_running';
      expect(count(apart.shaders, statistics)).toBe(norms);
      expect(count(folded.shaders, 'batch_norm_fold')).toBe(folds);
      expect(count(folded.shaders, statistics)).toBe(norms - folds);
      // Statistics and normalisation give way to the fold; a sum of MbConv goes too.
      const sums = apart.shaders.filter((shader) => shader.startsWith('binary_forward')).length;
      const left = folded.shaders.filter((shader) => shader.startsWith('binary_forward')).length;
      expect(folded.shaders.length).toBe(apart.shaders.length - folds - (sums - left));
      const passes = folded.shaders.filter((shader) => shader.startsWith('batch_norm_forward'));
      expect(passes.length).toBe(norms - folds);
      // Both ways round like the exact network with weights off by at most the bound of a sum, the
      // folded ones by 8 parts more: each may be as far from it as such weights take it.
      await perturb(model);
      const moved = await run(model, x, false);
      const allowed = 3 * difference(moved.values, apart.values);
      const found = difference(folded.values, apart.values);
      expect(rms(apart.values)).toBeGreaterThan(1000 * allowed);
      if (folds === 0) expect(found).toBe(0);
      else expect(found, `allowed ${allowed}`).toBeLessThan(allowed);
      model.dispose();
    });
  }

  it('sees what training in between has changed', async () => {
    const model = new ResNet(device, {
      ...{ block: 'basic', stages: [1, 1], width: 8, input: [8, 8, 3], classes: 3 },
    });
    const classifier = new Classifier(device, model, { imageShape: [8, 8, 3] });
    const random = seededRandom(2);
    const images = Uint8Array.from({ length: 6 * 8 * 8 * 3 }, () => 256 * random());
    const dataset = new MemoryDataset({
      ...{ name: 'noise', imageShape: [8, 8, 3], classNames: ['a', 'b', 'c'] },
      ...{ images, labels: Int32Array.of(0, 1, 2, 0, 1, 2) },
    });
    const evaluator = new Evaluator(classifier);
    // The batch of four is replayed in later evaluations, the last one of two is not.
    const evaluate = async (): Promise<number[]> => {
      model.eval();
      const { probabilities } = await evaluator.run(dataset, { batchSize: 4 });
      return [...probabilities];
    };
    // An optimizer's first step moves the parameters to memory of its own.
    const optimizer = new SGD(model.parameters(), { lr: 0.1 });
    const step = device.capture((pixels: Tensor, labels: Tensor) => {
      model.train();
      optimizer.zeroGrad();
      const loss = softmaxCrossEntropy(classifier.logits(pixels), labels);
      loss.backward();
      optimizer.step();
      return { loss };
    });
    step(images, dataset.labels);
    const first = await evaluate();
    expect(await evaluate()).toEqual(first);
    for (let i = 0; i < 3; i++) step(images, dataset.labels);
    const second = await evaluate();
    expect(difference(first, second)).toBeGreaterThan(1e-3);
    evaluator.dispose();
    const pixels = classifier.pixels(device.tensor(images));
    const apart = (await run(model, pixels, false)).values;
    // Sums of at most 72 products, one after another in six layers: each (8 + √72)·2⁻²⁴ off.
    expect(difference(second, softmaxed(apart))).toBeLessThan(6e-6);
  });
});
