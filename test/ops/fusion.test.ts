import { afterAll, describe, expect, it, vi } from 'vitest';
import { watchOps } from '../../src/autograd/recording.js';
import { createDevice, type Device } from '../../src/device.js';
import { UsageError } from '../../src/errors.js';
import { ResNet } from '../../src/models/index.js';
import type { Module } from '../../src/nn/index.js';
import { conv2d, conv2dTranspose, depthwiseConv2d } from '../../src/ops/conv.js';
import { dense } from '../../src/ops/linear.js';
import { softmaxCrossEntropy, type SoftmaxCrossEntropyOptions } from '../../src/ops/loss.js';
import { batchNorm } from '../../src/ops/normalization.js';
import { SGD } from '../../src/optim/index.js';
import type { Tensor } from '../../src/tensor.js';
import { seededRandom } from '../helpers/fill.js';

const [fused, apart] = [
  await createDevice({ seed: 7 }),
  await createDevice({ seed: 7, fusion: false }),
];
afterAll(() => {
  vi.unstubAllEnvs();
  fused.destroy();
  apart.destroy();
});

/** Values in −1 … 1, the same on both devices. */
function noise(device: Device, shape: number[], seed: number, low = -1): Tensor {
  const random = seededRandom(seed);
  const count = shape.reduce((product, n) => product * n, 1);
  const values = Float32Array.from({ length: count }, () => low + (1 - low) * random());
  return device.tensor(values, shape, { requiresGrad: true });
}

type Build = (device: Device) => { inputs: Tensor[]; run: () => Tensor };

const window: Build = (device) => {
  const [x, w, bias] = [[2, 5, 5, 3], [3, 3, 3, 4], [4]].map((s, i) => noise(device, s, i));
  const options = { bias, activation: 'relu', padding: 'same' } as const;
  return { inputs: [x, w, bias], run: () => conv2d(x, w, options) };
};

const builds: [string, string[], Build][] = [
  ['conv2d with bias and ReLU', ['conv2d', 'add', 'relu'], window],
  [
    'depthwiseConv2d with bias and sigmoid',
    ['depthwiseConv2d', 'add', 'sigmoid'],
    (device) => {
      const [x, w, bias] = [[2, 5, 5, 3], [3, 3, 3, 2], [6]].map((s, i) => noise(device, s, i));
      const options = { bias, activation: 'sigmoid' } as const;
      return { inputs: [x, w, bias], run: () => depthwiseConv2d(x, w, options) };
    },
  ],
  [
    'conv2d with bias, residual and ReLU',
    ['conv2d', 'add', 'add', 'relu'],
    (device) => {
      const shapes = [[2, 5, 5, 3], [3, 3, 3, 4], [4], [2, 5, 5, 4]];
      const [x, w, bias, residual] = shapes.map((shape, i) => noise(device, shape, i));
      const options = { bias, residual, activation: 'relu', padding: 'same' } as const;
      return { inputs: [x, w, bias, residual], run: () => conv2d(x, w, options) };
    },
  ],
  [
    'conv2dTranspose with bias and tanh',
    ['conv2dTranspose', 'add', 'tanh'],
    (device) => {
      const [x, w, bias] = [[2, 3, 3, 3], [2, 2, 4, 3], [4]].map((s, i) => noise(device, s, i));
      const options = { bias, activation: 'tanh', stride: 2 } as const;
      return { inputs: [x, w, bias], run: () => conv2dTranspose(x, w, options) };
    },
  ],
  [
    'dense with bias and ReLU',
    ['dense', 'add', 'relu'],
    (device) => {
      const [x, w, bias] = [[4, 7], [7, 5], [5]].map((s, i) => noise(device, s, i));
      return { inputs: [x, w, bias], run: () => dense(x, w, { bias, activation: 'relu' }) };
    },
  ],
  [
    'batchNorm with residual and ReLU',
    ['batchNorm', 'add', 'relu'],
    (device) => {
      const [x, residual] = [noise(device, [3, 4, 4, 5], 1), noise(device, [3, 4, 4, 5], 2)];
      const [gamma, beta] = [noise(device, [5], 3, 0.5), noise(device, [5], 4)];
      const options = { gamma, beta, residual, activation: 'relu', training: true } as const;
      return { inputs: [x, residual, gamma, beta], run: () => batchNorm(x, options) };
    },
  ],
  ...lossBuild('class numbers', ['logSoftmax', 'nllLoss', 'mean'], {}),
  ...lossBuild(
    'class numbers, smoothed',
    ['logSoftmax', 'nllLoss', 'sum', 'mul', 'mul', 'sub', 'sum'],
    {
      ...{ labelSmoothing: 0.2, reduction: 'sum' },
    },
  ),
];

function lossBuild(
  name: string,
  names: string[],
  options: SoftmaxCrossEntropyOptions,
): [string, string[], Build][] {
  const build: Build = (device) => {
    const logits = noise(device, [4, 6], 1);
    const labels = device.tensor(Int32Array.of(0, 5, 2, 2));
    return { inputs: [logits], run: () => softmaxCrossEntropy(logits, labels, options) };
  };
  return [[`softmaxCrossEntropy of ${name}`, names, build]];
}

/** Names of the ops that run, the result, and the gradients of the inputs. */
async function outcome(device: Device, build: Build) {
  const { inputs, run } = build(device);
  const names: string[] = [];
  const y = watchOps(({ name }) => names.push(name), run);
  const value = [...(await y.data())];
  const dy = noise(device, [...y.shape], 9);
  y.backward(dy);
  const gradients = await Promise.all(inputs.map(async ({ grad }) => [...(await grad!.data())]));
  return { names, values: [value, ...gradients] };
}

describe('a device that fuses nothing', () => {
  it.each(builds)('computes %s in parts, and the same', async (_, names, build) => {
    const [whole, parts] = [await outcome(fused, build), await outcome(apart, build)];
    expect([whole.names.length, parts.names]).toEqual([1, names]);
    parts.values.forEach((values, i) => {
      // A few roundings of sums of at most 75 products of numbers below 1 apart.
      const scale = Math.max(1, ...whole.values[i].map(Math.abs));
      values.forEach((value, j) =>
        expect(Math.abs(value - whole.values[i][j]), `${i} ${j}`).toBeLessThan(2e-6 * scale),
      );
    });
  });

  it('words errors as the fused ops do', () => {
    const [x, w] = [noise(apart, [1, 4], 1), noise(apart, [4, 3], 2)];
    expect(() => dense(x, w, { bias: apart.ones([1]) })).toThrow(
      'dense: bias has 1 values but the output has K=3 channels',
    );
    expect(() => softmaxCrossEntropy(x, apart.tensor(Int32Array.of(0, 1)))).toThrow(
      'softmaxCrossEntropy: labels must be [N=1] class numbers',
    );
    const [image, filter] = [noise(apart, [1, 4, 4, 1], 1), noise(apart, [3, 3, 1, 2], 2)];
    expect(() => conv2d(image, filter, { residual: noise(apart, [2], 3) })).toThrow(
      'conv2d: residual must have 4 dimensions [N P Q K], got 1 (residual [2])',
    );
    const [wide, narrow] = [noise(apart, [2, 4], 1), noise(apart, [4], 2)];
    expect(() => batchNorm(wide, { training: true, residual: narrow })).toThrow(
      'batchNorm: residual must have the shape of x',
    );
  });
});

/** Ten losses of a small residual network, and the gradients of the last step. */
async function trained(device: Device, state: Parameters<Module['loadStateDict']>[0]) {
  const model = new ResNet(device, {
    ...{ block: 'basic', stages: [1, 1], width: 4, input: [8, 8, 3], classes: 3 },
  });
  model.loadStateDict(state);
  const optimizer = new SGD(model.namedParameters(), { lr: 0.05, momentum: 0.9 });
  const x = noise(device, [4, 8, 8, 3], 1);
  const labels = device.tensor(Int32Array.of(0, 1, 2, 1));
  const losses: number[] = [];
  for (let i = 0; i < 10; i++) {
    optimizer.zeroGrad();
    const loss = softmaxCrossEntropy(model.call(x), labels, { labelSmoothing: 0.1 });
    losses.push(await loss.item());
    loss.backward();
    optimizer.step();
  }
  const gradients: number[][] = [];
  for (const { grad } of model.parameters()) gradients.push([...(await grad!.data())]);
  return { losses, gradients };
}

it('gives the same loss curve and gradients of a residual network', async () => {
  const first = new ResNet(fused, {
    ...{ block: 'basic', stages: [1, 1], width: 4, input: [8, 8, 3], classes: 3 },
  });
  const state = new Map<string, { shape: readonly number[]; data: Float32Array }>();
  for (const [name, tensor] of first.stateDict()) {
    state.set(name, { shape: tensor.shape, data: (await tensor.data()) as Float32Array });
  }
  const host = new Map(
    [...state].map(([name, { shape, data }]) => [name, { shape: [...shape], data }]),
  );
  const [whole, parts] = [await trained(fused, host), await trained(apart, host)];
  expect(whole.losses[9]).toBeLessThan(0.9 * whole.losses[0]);
  parts.losses.forEach((loss, i) =>
    expect(Math.abs(loss - whole.losses[i]), `loss ${i}`).toBeLessThan(2e-6),
  );
  parts.gradients.forEach((values, i) => {
    const scale = Math.max(...whole.gradients[i].map(Math.abs));
    values.forEach((value, j) =>
      expect(Math.abs(value - whole.gradients[i][j]), `${i} ${j}`).toBeLessThan(1e-4 * scale),
    );
  });
});

it('is opened by TILEGRAD_FUSION=off, and only by that', async () => {
  const fuses = async (setting: string, options = {}): Promise<boolean> => {
    vi.stubEnv('TILEGRAD_FUSION', setting);
    const device = await createDevice({ isNull: true, ...options });
    const { fusesOps } = device.runtime;
    device.destroy();
    return fusesOps;
  };
  expect(await fuses('off')).toBe(false);
  expect(await fuses('on')).toBe(true);
  expect(await fuses('')).toBe(true);
  expect(await fuses('off', { fusion: true })).toBe(true);
  await expect(fuses('no')).rejects.toThrow(UsageError);
  await expect(fuses('no')).rejects.toThrow('device: TILEGRAD_FUSION must be on or off, got no');
});
