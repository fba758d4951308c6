import { describe, expect, it } from 'vitest';
import { ShapeError } from '../../src/errors.js';
import {
  Add,
  AvgPool2d,
  BatchNorm2d,
  Conv2d,
  Dense,
  DepthwiseConv2d,
  Dropout,
  Flatten,
  GlobalAvgPool2d,
  init,
  MaxPool2d,
  ReLU,
  Sequential,
  SiLU,
  Softmax,
  SqueezeExcite,
  StochasticDepth,
  ZeroPad2d,
} from '../../src/nn/index.js';
import { mul } from '../../src/ops/elementwise.js';
import { testDevice } from '../helpers/device.js';

const device = await testDevice();

/** Float32 results of a few operations on numbers near 1. */
function expectClose(got: ArrayLike<number>, wanted: readonly number[]): void {
  expect(got.length).toBe(wanted.length);
  wanted.forEach((value, i) =>
    expect(Math.abs(got[i] - value), `value ${i}: ${got[i]}, wanted ${value}`).toBeLessThan(
      1e-5 * Math.max(1, Math.abs(value)),
    ),
  );
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

describe('layers', () => {
  it('Conv2d: weights, bias, stride, padding and activation reach the op', async () => {
    const layer = new Conv2d(device, {
      ...{ inChannels: 1, outChannels: 2, kernelSize: 3, stride: 2, padding: 'same' },
      ...{ activation: 'relu', weightInit: init.constant(1) },
    });
    layer.bias!.assign([-20, 0.5]);
    // Windows of 0 … 15 in rows of four: the zeros of 'same' lie below and to the right.
    const sums = [
      0 + 1 + 2 + 4 + 5 + 6 + 8 + 9 + 10,
      2 + 3 + 6 + 7 + 10 + 11,
      8 + 9 + 10 + 12 + 13 + 14,
      10 + 11 + 14 + 15,
    ];
    const y = layer.call(device.arange([1, 4, 4, 1]));
    expect(y.shape).toEqual([1, 2, 2, 2]);
    expect([...(await y.data())]).toEqual(
      sums.flatMap((sum) => [Math.max(0, sum - 20), sum + 0.5]),
    );
  });

  it('Conv2d: groups and dilation', async () => {
    const layer = new Conv2d(device, {
      ...{ inChannels: 2, outChannels: 2, kernelSize: [1, 2], dilation: 2, groups: 2 },
      ...{ bias: false, weightInit: init.constant(1) },
    });
    expect(layer.weight.shape).toEqual([1, 2, 1, 2]);
    expect(layer.bias).toBeUndefined();
    const y = layer.call(device.arange([1, 1, 3, 2]));
    expect(await y.array()).toEqual([[[[0 + 4, 1 + 5]]]]);
  });

  it('DepthwiseConv2d: each channel by itself', async () => {
    const layer = new DepthwiseConv2d(device, { inChannels: 2, kernelSize: 2, multiplier: 2 });
    expect([layer.weight.shape, layer.bias!.shape]).toEqual([[2, 2, 2, 2], [4]]);
    layer.weight.assign([1, 10, 2, 20, 1, 10, 2, 20, 1, 10, 2, 20, 1, 10, 2, 20]);
    layer.bias!.assign([0, 0, 0, 1]);
    const y = layer.call(device.arange([1, 2, 2, 2]));
    // Channel 0 sums to 0 + 2 + 4 + 6, channel 1 to 1 + 3 + 5 + 7.
    expect(await y.array()).toEqual([[[[12, 120, 32, 321]]]]);
  });

  it('Dense: bias and activation', async () => {
    const layer = new Dense(device, { inFeatures: 2, outFeatures: 2, activation: 'relu' });
    layer.weight.assign([1, -1, 2, -2]);
    layer.bias!.assign([0.5, 0.5]);
    expect(await layer.call(device.tensor([[1, 2]])).array()).toEqual([[5.5, 0]]);
  });

  it('BatchNorm2d: the batch while training, the running statistics afterwards', async () => {
    const layer = new BatchNorm2d(device, { channels: 2, momentum: 0.5 });
    const x = device.tensor([1, 10, 3, 30], [1, 1, 2, 2]);
    expectClose(await layer.call(x).data(), [-1, -1, 1, 1]);
    // Half of (0, 0) and (2, 20); half of (1, 1) and the unbiased (2, 200).
    expectClose(await layer.runningMean.data(), [1, 10]);
    expectClose(await layer.runningVariance.data(), [1.5, 100.5]);
    layer.eval();
    const rest = (value: number, mean: number, variance: number): number =>
      (value - mean) / Math.sqrt(variance + 1e-5);
    const wanted = [0, 0, rest(3, 1, 1.5), rest(30, 10, 100.5)];
    expectClose(await layer.call(x).data(), wanted);
    expectClose(await layer.runningMean.data(), [1, 10]);
  });

  it('BatchNorm2d: residual, activation, gamma and beta', async () => {
    const layer = new BatchNorm2d(device, { channels: 1, activation: 'relu', epsilon: 1e-12 });
    layer.gamma!.assign([2]);
    layer.beta!.assign([0.5]);
    const x = device.tensor([1, 3], [1, 1, 2, 1]);
    const residual = device.tensor([1, -1], [1, 1, 2, 1]);
    expectClose(await layer.call(x, residual).data(), [0, 1.5]);
  });

  it('BatchNorm2d: an activation that needs the value before it', async () => {
    const layer = new BatchNorm2d(device, { channels: 1, activation: 'silu', epsilon: 1e-12 });
    const y = layer.call(device.tensor([1, 3], [1, 1, 2, 1]));
    expectClose(await y.data(), [-sigmoid(-1), sigmoid(1)]);
  });

  it('pools', async () => {
    const x = device.arange([1, 4, 4, 1]);
    const values = async (layer: MaxPool2d | AvgPool2d | GlobalAvgPool2d): Promise<number[]> => [
      ...(await layer.call(x).data()),
    ];
    expect(await values(new MaxPool2d({ size: 2 }))).toEqual([5, 7, 13, 15]);
    expect(await values(new MaxPool2d({ size: 3, stride: 2, padding: 1 }))).toEqual([5, 7, 13, 15]);
    expect(await values(new AvgPool2d({ size: 2 }))).toEqual([2.5, 4.5, 10.5, 12.5]);
    expect(await values(new AvgPool2d({ size: 4, padding: 2, stride: 6 }))).toEqual([2.5]);
    expect(
      await values(new AvgPool2d({ size: 4, padding: 2, stride: 6, countIncludePad: true })),
    ).toEqual([0.625]);
    expect(await values(new GlobalAvgPool2d())).toEqual([7.5]);
  });

  it('ReLU, SiLU and Softmax', async () => {
    const x = device.tensor([[-1, 0, 2]]);
    expect(await new ReLU().call(x).array()).toEqual([[0, 0, 2]]);
    expectClose(await new SiLU().call(x).data(), [-sigmoid(-1), 0, 2 * sigmoid(2)]);
    const total = Math.exp(-1) + 1 + Math.exp(2);
    expectClose(
      await new Softmax().call(x).data(),
      [-1, 0, 2].map((each) => Math.exp(each) / total),
    );
    expect(await new Softmax({ axis: 0 }).call(x).array()).toEqual([[1, 1, 1]]);
  });

  it('Flatten and ZeroPad2d', async () => {
    expect(new Flatten().call(device.ones([2, 3, 4, 5])).shape).toEqual([2, 60]);
    const x = device.tensor([7], [1, 1, 1, 1]);
    expect(await new ZeroPad2d(1).call(x).array()).toEqual([
      [
        [[0], [0], [0]],
        [[0], [7], [0]],
        [[0], [0], [0]],
      ],
    ]);
    const uneven = new ZeroPad2d([
      [1, 0],
      [0, 2],
    ]);
    expect(await uneven.call(x).array()).toEqual([
      [
        [[0], [0], [0]],
        [[7], [0], [0]],
      ],
    ]);
  });

  it('Sequential runs its layers in order', async () => {
    const model = new Sequential(new ReLU(), new Softmax());
    expect(await model.call(device.tensor([[-3, -5]])).array()).toEqual([[0.5, 0.5]]);
    const reversed = new Sequential(new Softmax({ axis: 0 }), new ReLU());
    expect(await reversed.call(device.tensor([[-3, -5]])).array()).toEqual([[1, 1]]);
  });
});

describe('random layers', () => {
  it('Dropout drops while training only', async () => {
    const layer = new Dropout({ rate: 0.25 });
    const x = device.ones([10_000]);
    const values = await layer.call(x).data();
    const dropped = values.filter((value: number) => value === 0).length;
    // 2,500 expected, with a deviation of 43.
    expect(Math.abs(dropped - 2500)).toBeLessThan(220);
    const scaled = Math.fround(1 / 0.75);
    expect(values.every((value: number) => value === 0 || Math.abs(value - scaled) < 1e-6)).toBe(
      true,
    );
    layer.eval();
    expect((await layer.call(x).data()).every((value: number) => value === 1)).toBe(true);
  });

  it('StochasticDepth drops whole examples while training only', async () => {
    const layer = new StochasticDepth({ rate: 0.5 });
    const x = device.ones([400, 2, 3]).detach();
    x.requiresGrad = true;
    const y = layer.call(x);
    const values = [...(await y.data())];
    mul(y, 1).backward(device.ones([400, 2, 3]));
    const examples = Array.from({ length: 400 }, (_, n) => values.slice(6 * n, 6 * n + 6));
    expect(examples.every((each) => each.every((value) => value === each[0]))).toBe(true);
    expect(examples.every(([first]) => first === 0 || first === 2)).toBe(true);
    const dropped = examples.filter(([first]) => first === 0).length;
    // 200 expected, with a deviation of 10.
    expect(Math.abs(dropped - 200)).toBeLessThan(50);
    expect([...(await x.grad!.data())]).toEqual(values);
    layer.eval();
    expect(layer.call(x)).toBe(x);
    expect(new StochasticDepth({ rate: 0 }).call(x)).toBe(x);
  });

  it.each([Dropout, StochasticDepth])('$name reads its rate at each call', async (Layer) => {
    const layer = new Layer({ rate: 0.5 });
    const x = device.ones([1000, 1]);
    layer.rate = 0;
    expect([...(await layer.call(x).data())].every((value) => value === 1)).toBe(true);
    layer.rate = 0.75;
    expect(layer.toString()).toBe(`${Layer.name}(0.75)`);
    const values = [...(await layer.call(x).data())];
    expect(values.every((value) => value === 0 || value === 4)).toBe(true);
    // 250 expected, with a deviation of 14.
    expect(Math.abs(values.filter((value) => value === 4).length - 250)).toBeLessThan(70);
  });

  it.each([Dropout, StochasticDepth])('$name refuses a rate that is no share', (Layer) => {
    const text = (rate: string): string =>
      `${Layer.name}: rate must lie in [0, 1), got ${rate}\nfix: rate is the share that is dropped`;
    const layer = new Layer({ rate: 0.5 });
    for (const rate of [-0.1, 1, NaN]) {
      expect(() => new Layer({ rate })).toThrow(ShapeError);
      expect(() => new Layer({ rate })).toThrow(text(String(rate)));
      expect(() => (layer.rate = rate)).toThrow(text(String(rate)));
    }
    expect(layer.rate).toBe(0.5);
  });
});

describe('layers of layers', () => {
  it('Add: branch, shortcut and activation', async () => {
    const negate = new Dense(device, { inFeatures: 2, outFeatures: 2, bias: false });
    negate.weight.assign([-2, 0, 0, 0]);
    const x = device.tensor([[1, 3]]);
    expect(await new Add(negate).call(x).array()).toEqual([[-1, 3]]);
    expect(await new Add(negate, { activation: 'relu' }).call(x).array()).toEqual([[0, 3]]);
    const shortcut = new Softmax({ axis: 0 });
    expect(await new Add(negate, { shortcut }).call(x).array()).toEqual([[-1, 1]]);
  });

  it('Add: a branch of another shape is an error, broadcast or not', () => {
    const narrow = new Dense(device, { inFeatures: 2, outFeatures: 1 });
    const run = (): unknown => new Add(narrow).call(device.ones([3, 2]));
    expect(run).toThrow(ShapeError);
    expect(run).toThrow(
      'Add: the branch gives [3 1] but x has [3 2]\nfix: bring x to that shape with the option shortcut',
    );
    expect(() => new Add(narrow, { shortcut: new Flatten() }).call(device.ones([3, 2]))).toThrow(
      'Add: the branch gives [3 1] but the shortcut has [3 2]',
    );
  });

  it('SqueezeExcite scales channels by a gate of their means', async () => {
    const layer = new SqueezeExcite(device, { channels: 2, reducedChannels: 1 });
    layer.reduce.weight.assign([1, 2]);
    layer.reduce.bias!.assign([-1]);
    layer.expand.weight.assign([3, -1]);
    layer.expand.bias!.assign([0, 0.5]);
    // Means 2 and 0.5, so the middle value is silu(2 + 1 − 1).
    const middle = 2 * sigmoid(2);
    const gates = [sigmoid(3 * middle), sigmoid(0.5 - middle)];
    const x = device.tensor([1, 0, 3, 1], [1, 1, 2, 2]);
    expectClose(await layer.call(x).data(), [gates[0], 0, 3 * gates[0], gates[1]]);
  });
});
