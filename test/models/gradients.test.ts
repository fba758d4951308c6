import { describe, expect, it } from 'vitest';
import type { Device } from '../../src/device.js';
import {
  cifarResnet20,
  cifarSimple,
  efficientNetB0,
  mlp,
  mnistCnn,
  ResNet,
  simpsonsTf,
} from '../../src/models/index.js';
import { MbConv } from '../../src/models/efficient_net.js';
import { Dense, GlobalAvgPool2d, Sequential, type Module } from '../../src/nn/index.js';
import { softmaxCrossEntropy } from '../../src/ops/loss.js';
import { SGD } from '../../src/optim/index.js';
import { testDevice } from '../helpers/device.js';
import { slopeRatio } from './slope.js';

const device: Device = await testDevice();
const labels = device.tensor(Int32Array.of(0, 1, 2));

function imagesOf(input: readonly [number, number, number]) {
  return device.randn([3, ...input]);
}

describe('networks on the GPU', () => {
  it('blocks of EfficientNet: the loss falls as their gradients say, within 1 %', async () => {
    // Smooth throughout (SiLU), and nothing is dropped.
    const block = { dropRate: 0, expansion: 2 };
    const model = new Sequential(
      new MbConv(device, { ...block, inChannels: 4, outChannels: 4, kernelSize: 3, stride: 1 }),
      new MbConv(device, { ...block, inChannels: 4, outChannels: 6, kernelSize: 5, stride: 2 }),
      new GlobalAvgPool2d(),
      new Dense(device, { inFeatures: 6, outFeatures: 3 }),
    );
    const x = imagesOf([8, 8, 4]);
    const loss = () => softmaxCrossEntropy(model.call(x), labels);
    const { ratio, flat } = await slopeRatio(model, loss, 3e-5);
    // The second block's first batch norm takes this shift off again.
    expect(flat).toEqual(['0.project.norm.beta']);
    expect(Math.abs(ratio - 1)).toBeLessThan(0.01);
    model.dispose();
  });

  it('EfficientNet-B0 gives a gradient to every parameter', async () => {
    const model = efficientNetB0(device, { input: [16, 16, 3], classes: 3 });
    softmaxCrossEntropy(model.call(imagesOf([16, 16, 3])), labels).backward();
    for (const [name, { grad, shape }] of model.namedParameters()) {
      expect(grad?.shape, name).toEqual(shape);
      const values = [...(await grad!.data())];
      expect(values.every(Number.isFinite), name).toBe(true);
      expect(
        values.some((each) => each !== 0),
        name,
      ).toBe(true);
    }
    model.dispose();
  });

  const sixteen = { input: [16, 16, 3], classes: 3 } as const;
  const small: [string, readonly [number, number, number], () => Module][] = [
    ['mnistCnn', [8, 8, 1], () => mnistCnn(device, { input: [8, 8, 1], classes: 3, dropout: 0 })],
    ['mlp', [4, 4, 1], () => mlp(device, { input: [4, 4, 1], classes: 3, hidden: [32] })],
    ['simpsonsTf', [16, 16, 3], () => simpsonsTf(device, { ...sixteen, dropout: 0 })],
    ['cifarSimple', [20, 20, 3], () => cifarSimple(device, { input: [20, 20, 3], classes: 3 })],
    ['cifarResnet20', [16, 16, 3], () => cifarResnet20(device, sixteen)],
    [
      'ResNet of bottlenecks with the large stem',
      [32, 32, 3],
      () =>
        new ResNet(device, {
          ...{ block: 'bottleneck', stages: [1, 2], width: 4, stem: 'large' },
          ...{ input: [32, 32, 3], classes: 3 },
        }),
    ],
  ];
  it.each(small)('%s learns three images by heart', async (_name, input, make) => {
    const model = make();
    const x = imagesOf(input);
    const optimizer = new SGD(model.parameters(), { lr: 0.02, momentum: 0.9 });
    const losses: number[] = [];
    for (let step = 0; step < 25; step++) {
      const loss = softmaxCrossEntropy(model.call(x), labels);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      if (step === 0) for (const { grad } of model.parameters()) expect(grad).not.toBeNull();
      losses.push(await loss.item());
    }
    expect(losses.at(-1)).toBeLessThan(losses[0] / 2);
    model.dispose();
  });
});
